#pragma once

// The write side's database: rows of access keys and signing keys, and the change log that the database itself fills by
// trigger in the same transaction. Every engine passes the suite in store/testing/key_store_suite.hpp.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "key/access_key.hpp"
#include "key/change.hpp"
#include "key/notice.hpp"
#include "key/position.hpp"
#include "key/selector.hpp"
#include "key/signing_key.hpp"
#include "store/audit.hpp"

namespace latchkey::store {

/// What one idempotent command answered, so that its repetition can be answered the same (never the token itself).
struct IdempotencyRecord {
  static constexpr std::int64_t lifetime_ms = 24LL * 60 * 60 * 1000;  // older ones may be forgotten

  std::string actor;            // the admin that chose the idempotency key
  std::string idempotency_key;  // 1 to 128 characters, chosen by the client
  std::string request_digest;   // of method, path and body: another request under the same key is a mistake
  KeyId key_id;                 // that the command concerned; no_key for one of a plan or user
  Seq seq;                      // the change the command made: its row is what was answered. Set by the engine when 0
  std::string kid;              // which signing key signed the token that was answered
  UnixMillis created_at;
};

/// In an IdempotencyRecord of a command that concerned no access key.
inline const KeyId no_key{KeyId::Bytes{0, 0, 0, 0, 0, 0, 0x70, 0, 0x80}};

/// Which rows refer to a plan.
struct PlanUses {
  std::uint64_t keys = 0;  // not deleted, for which it is in force: they name it, or their user does and they name none
  bool named_by_key = false;   // one that is not deleted
  bool named_by_user = false;  // likewise
};

/// Keys that a plan or a user has to do with; exactly one is set.
struct TermsScope {
  std::optional<std::string> plan;     // in force for the key
  std::optional<std::string> user_id;  // of the key
};

struct KeyFilter {
  std::optional<std::string> user_id = {};  // equal
  std::optional<KeyStatus> status = {};     // as of `now`
  std::optional<std::string> name = {};     // contains, ASCII case ignored
  bool never_expires = false;               // true: only keys without an expiry
  /// Only keys with an expiry, and that before this moment.
  std::optional<UnixMillis> expires_before = {};
  Selector selector = {};  // of labels; empty: whatever they are
  bool without_deleted = false;
};

enum class KeyAction : std::uint8_t { disable, enable, remove };

/// "disable", "enable", "delete": as the log names the change.
std::string_view to_string(KeyAction action);

/// The same done to many keys.
struct ManyKeys {
  KeyAction action = KeyAction::disable;
  /// Which of the keys that are named are meant: those of this user and with these labels, by now. Nothing else of the
  /// filter is looked at.
  KeyFilter filter;
  UnixMillis at;
  std::string actor;
};
/// In one commit at most.
constexpr std::size_t max_keys_a_commit = 2000;

/// Rows of keys that were deleted before a moment, and have not changed since, go; their changes stay in the log.
struct Purge {
  UnixMillis deleted_before;
  UnixMillis at;
  std::string actor;
  std::size_t most = max_keys_a_commit;
};

/// How far a process has come with notices; one at a time may move that on.
struct MarkLease {
  std::string name;
  std::string owner;  // the process that has it from `now` to `until`, and may renew it
  UnixMillis now;
  UnixMillis until;
  std::int64_t otherwise = 0;  // the mark's value where there is none yet
};

/// A random pseudonym takes the place of a user's id.
struct Erasure {
  std::string user_id;
  std::string pseudonym;
  UnixMillis at;
  std::string actor;
};
struct ErasedRows {
  std::uint64_t keys = 0;  // deleted and renamed
  bool had_row = false;    // there is a row of the user, deleted by now: views may still have to hear of that
};

/// The row of the pseudonym: deleted, and nothing else.
User tombstone_of(const Erasure& erasure);

/// One transaction. Valid only inside the Work it is given to.
class Transaction {
 public:
  virtual ~Transaction() = default;

  virtual Result<std::optional<AccessKey>> find_key(KeyId id) = 0;
  /// Inserts or replaces the whole row. `action` names the change in the log ("create", "rotate", …); `updated_by` and
  /// `updated_at` of the row say who and when. `version` of the argument is ignored. Returns the new version: the seq
  /// of the change.
  virtual Result<Version> put_key(const AccessKey& key, std::string_view action) = 0;

  /// A change of each of these keys (at most max_keys_a_commit) that the filter means, that is not deleted and not so
  /// already. How many those were.
  virtual Result<std::uint64_t> change_keys(const ManyKeys& change, std::span<const KeyId> ids) = 0;

  virtual Result<std::vector<SigningKey>> signing_keys() = 0;
  virtual Result<Version> put_signing_key(const SigningKey& key, std::string_view actor) = 0;

  /// Deleted ones too, and what was said of put_key() goes for these.
  virtual Result<std::optional<Plan>> find_plan(std::string_view name) = 0;
  virtual Result<Version> put_plan(const Plan& plan, std::string_view action) = 0;
  virtual Result<std::optional<User>> find_user(std::string_view user_id) = 0;
  virtual Result<Version> put_user(const User& user, std::string_view action) = 0;
  virtual Result<PlanUses> plan_uses(std::string_view name) = 0;
  virtual Result<bool> has_keys(std::string_view user_id) = 0;  // that are not deleted
  /// Keys of this scope, not deleted, that have no limit in force and do not say that they need none; the first `most`.
  virtual Result<std::vector<KeyId>> keys_without_limit(const TermsScope& scope, std::size_t most) = 0;
  /// Keys of this scope, not deleted, with more than max_limits limits in force; the first `most`.
  virtual Result<std::vector<KeyId>> keys_past_limits(const TermsScope& scope, std::size_t most) = 0;

  /// Notes this beside every change that this transaction has made so far (store/audit.hpp).
  virtual Result<void> note(const AuditNote& note) = 0;
  /// How many keys purge_keys() would take.
  virtual Result<std::uint64_t> purgeable_keys(UnixMillis deleted_before) = 0;
  /// Of each a last change, "purge", and the row is gone. How many; fewer than `most`: there are no more.
  virtual Result<std::uint64_t> purge_keys(const Purge& purge) = 0;
  /// The user's keys are deleted and lose name, metadata and labels ("erase"); they belong to the pseudonym from then on.
  /// The user's own row is deleted ("user-delete").
  virtual Result<ErasedRows> erase_rows(const Erasure& erasure) = 0;
  /// Once every view has heard of that: the user's row goes, and in the log the pseudonym stands where the user's id
  /// did, as author too, without names and metadata. A row of the pseudonym, deleted, is the change that says
  /// so ("user-erase"). How many changes were rewritten.
  virtual Result<std::uint64_t> erase_history(const Erasure& erasure) = 0;

  /// In this order; those that are there already (kind, key, user, about) are not added again. How many were. Takes a few
  /// with it that are older than notice_lifetime_ms.
  virtual Result<std::uint64_t> add_notices(std::span<const Notice> notices) = 0;
  virtual Result<std::uint64_t> last_notice() = 0;  // the last id that was given; 0: none
  /// Keys that are neither deleted nor disabled, with an expiry later than `after` and not later than `until`.
  virtual Result<std::vector<ExpiringKey>> keys_expiring(UnixMillis after, UnixMillis until) = 0;
  /// The mark's value; nullopt: somebody else has it now.
  virtual Result<std::optional<std::int64_t>> lease_mark(const MarkLease& lease) = 0;
  virtual Result<void> set_mark(std::string_view name, std::int64_t value) = 0;

  virtual Result<std::optional<Change>> find_change(Seq seq) = 0;
  virtual Result<std::optional<IdempotencyRecord>> find_idempotency(std::string_view actor, std::string_view key) = 0;
  virtual Result<void> put_idempotency(const IdempotencyRecord& record) = 0;
};

enum class KeyOrder : std::uint8_t { newest_first, oldest_first };

/// In the order of their ids, which is that of creation. `after`: the last id of the page before (keyset paging: a page costs the same at a million keys).
struct KeyPageRequest {
  KeyFilter filter;
  std::size_t limit = 50;  // 1 to 500
  std::optional<KeyId> after;
  UnixMillis now;
  KeyOrder order = KeyOrder::newest_first;
};

struct KeyPage {
  std::vector<AccessKey> keys;
  bool more = false;
};

/// By name, after `after`; deleted ones are left out. `limit`: 1 to 500.
struct NamePageRequest {
  std::string after;
  std::size_t limit = 50;
};

struct PlanPage {
  std::vector<Plan> plans;
  bool more = false;
};

struct UserPage {
  std::vector<User> users;
  bool more = false;
};

/// Of engines that queue: a work that finds more waiting is refused with ErrorCode::unavailable, on the caller's
/// thread.
constexpr std::size_t max_queued_works = 4096;

/// Any thread may call any method.
class KeyStore {
 public:
  /// Runs inside one transaction, on a thread of the engine's choosing; an Error rolls back what it did and nothing
  /// else. May be run again when the engine has to retry, so it must only read its captures and overwrite its outputs.
  using Work = std::function<Result<void>(Transaction&)>;
  /// Called once, after the commit is durable, with the last change the work made as the transaction itself saw it (the
  /// store's last if it made none), or with the error. Runs on the engine's thread, or on the caller's within
  /// transact() when the engine has none or its queue is full: keep it short.
  using Done = std::move_only_function<void(Result<LogEnd>)>;

  virtual ~KeyStore() = default;

  /// Engines may put the works of many callers into one commit (group commit); each stays atomic by itself.
  virtual void transact(Work work, Done done) = 0;
  /// transact() and wait.
  Result<LogEnd> transact_and_wait(const Work& work);

  virtual Result<std::optional<AccessKey>> find_key(KeyId id) = 0;
  virtual Result<KeyPage> list_keys(const KeyPageRequest& request) = 0;
  /// The ids alone; a page of less than request.limit, here 1 to 10,000, is the last.
  virtual Result<std::vector<KeyId>> list_key_ids(const KeyPageRequest& request) = 0;
  virtual Result<std::vector<SigningKey>> signing_keys() = 0;
  /// Deleted ones too.
  virtual Result<std::optional<Plan>> find_plan(std::string_view name) = 0;
  virtual Result<std::optional<User>> find_user(std::string_view user_id) = 0;
  virtual Result<PlanPage> list_plans(const NamePageRequest& request) = 0;
  virtual Result<UserPage> list_users(const NamePageRequest& request) = 0;
  virtual Result<PlanUses> plan_uses(std::string_view name) = 0;
  /// With ids after this one, in order, at most `limit`.
  virtual Result<std::vector<Notice>> notices_after(std::uint64_t after, std::size_t limit) = 0;
  /// Changes with seq > after, in order, at most `limit` (1 to 1,000).
  virtual Result<std::vector<Change>> changes_after(Seq after, std::size_t limit) = 0;
  /// The same as an auditor asks for them.
  virtual Result<AuditPage> audit(const AuditQuery& query) = 0;
  /// Epoch and seq of the last committed change.
  virtual Result<Position> position() = 0;
};

}  // namespace latchkey::store

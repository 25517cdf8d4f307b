#pragma once

// The reference engine: the contract of KeyStore in plain maps, for tests and simulation. It keeps nothing.

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/condition.hpp"
#include "base/random.hpp"
#include "store/key_store.hpp"

namespace latchkey::store {

class MemoryStore final : public KeyStore {
 public:
  struct StoredSigningKey {
    SigningKey key;
    Version version;
  };
  /// Everything the store knows: a value, so that a backup is a copy.
  struct State {
    Epoch epoch;
    std::map<KeyId, AccessKey> keys;
    std::map<std::string, StoredSigningKey> signing_keys;
    std::map<std::string, Plan, std::less<>> plans;
    std::map<std::string, User, std::less<>> users;
    std::vector<Change> log;  // log[i] has seq i + 1
    std::map<Seq, AuditNote> notes;
    std::map<std::pair<std::string, std::string>, IdempotencyRecord> idempotency;
    std::vector<Notice> notices;
    std::uint64_t last_notice = 0;
    std::map<std::string, std::pair<MarkLease, std::int64_t>, std::less<>> marks;

    LogEnd end() const { return {{epoch, log.size()}, log.empty() ? Nonce{} : log.back().nonce}; }
  };

  /// Takes a random epoch. `random` is used under the store's lock only.
  MemoryStore(Clock& clock, Random& random);

  /// Runs both functions on the caller's thread.
  void transact(Work work, Done done) override;
  Result<std::optional<AccessKey>> find_key(KeyId id) override;
  Result<KeyPage> list_keys(const KeyPageRequest& request) override;
  Result<std::vector<KeyId>> list_key_ids(const KeyPageRequest& request) override;
  Result<std::vector<SigningKey>> signing_keys() override;
  Result<std::optional<Plan>> find_plan(std::string_view name) override;
  Result<std::optional<User>> find_user(std::string_view user_id) override;
  Result<PlanPage> list_plans(const NamePageRequest& request) override;
  Result<UserPage> list_users(const NamePageRequest& request) override;
  Result<PlanUses> plan_uses(std::string_view name) override;
  Result<std::vector<Notice>> notices_after(std::uint64_t after, std::size_t limit) override;
  Result<std::vector<Change>> changes_after(Seq after, std::size_t limit) override;
  Result<AuditPage> audit(const AuditQuery& query) override;
  Result<Position> position() override;

  /// A backup, and its restoration in place of what is there now.
  State backup() const;
  void restore(State state);

  /// For the memory feed: hands the state to `look` under the lock; again after each change and nudge(), until it
  /// returns true or `patience` is over.
  void watch(std::chrono::milliseconds patience, const std::function<bool(const State&)>& look);
  void nudge();

 private:
  class Session;

  Result<LogEnd> run(const Work& work);

  Clock& clock_;
  Random& random_;
  mutable Mutex mutex_;
  Condition changed_;
  State state_ GUARDED_BY(mutex_);
};

}  // namespace latchkey::store

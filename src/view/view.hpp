#pragma once

// The query side's state in memory: one row a key id, at most 128 bytes a key at ten million keys, and the signing
// keys. One writer (the projector's thread), any number of readers, which never wait for it.
//
//   View ── State ─┬─ Partition × 4
//                  │   ├─ KeyIndex  key id → reference, small hash tables
//                  │   └─ RowArena  reference → KeyRow, immutable; a change writes a new row and retires the old one
//                  ├─ SigningKeys   kid → public key
//                  └─ NamedRows     plans and users by name; rows of keys point to their own terms (view/terms.hpp)
//        ├─ KeyGenerations          which memos of proven tokens still count
//        ├─ Reclamation             when what was replaced may be reused
//        └─ FreshnessCell           position and age

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "feed/change_feed.hpp"
#include "jwt/digest.hpp"
#include "key/access_key.hpp"
#include "key/change.hpp"
#include "key/position.hpp"
#include "view/row.hpp"
#include "view/signing_keys.hpp"
#include "view/terms.hpp"

namespace latchkey::view {

/// Where the view stands. `complete` is false before the first load has caught up and from the moment a reload is
/// needed.
struct Freshness {
  bool complete = false;
  Position position;
  BootTime current_as_of;  // a moment at which the view held all that was committed
  Nonce nonce = {};        // of the change at `position`; 0 at seq 0
};

class View {
  struct State;
  struct Impl;

 public:
  View();
  ~View();
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  // --- writer: one thread

  /// Distrusts and drops everything: readers find nothing and freshness() is incomplete until advance() with an
  /// `as_of`.
  void reset();
  /// By full row. A row of a version that is not newer than the one held changes nothing: stale and repeated ones are
  /// harmless.
  void apply(const AccessKey& key);
  void apply(const SigningKey& key, Version version);
  /// One pointer each, however many keys refer to it.
  void apply(const Plan& plan);
  void apply(const User& user);
  /// The change's seq is the row's version.
  void apply(const Change& change);
  /// The view holds all changes up to `position`; when `as_of` is given, nothing else was committed at that moment.
  /// `nonce`: of the change there, as far as it is known.
  void advance(Position position, std::optional<BootTime> as_of, Nonce nonce = {});

  /// What the rows added up to when they were those of `position`, as far as the view passed that lately, and since it
  /// was complete. Kept with each change applied; no reader pays for it.
  std::optional<feed::RowsDigest> digest_at(Position position) const;
  /// Whether the rows in memory still add up to the digest that is kept with each change. One call looks at one of
  /// slices() parts; rows may change between calls. nullopt: not all parts have been looked at yet.
  std::optional<bool> recount();
  /// For tests: changes a row as a fault of memory would, past the digest. False where there is none to change.
  bool plant_drift();

  /// Hands over what the view knows of its rows and signing keys, in `slices` parts, for a copy elsewhere. What no
  /// access check needs (name, metadata, author and time) is left out.
  static std::size_t slices();
  void visit(std::size_t slice, feed::SnapshotSink& sink) const;

  // --- readers: any thread

  /// While one lives, rows found through it stay valid. Cheap (two stores); do not hold one across a wait.
  /// All its answers come from one state: a reset() meanwhile shows in freshness() only.
  class Reader {
   public:
    explicit Reader(const View& view);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    const KeyRow* find(KeyId id) const;
    /// Begins to fetch from memory the row that is nearly always find(id)'s: its id tells, once it is needed. nullptr:
    /// there is none. Worth it where other work comes in between.
    const KeyRow* prefetch(KeyId id) const;
    /// The same for several, in two steps over all of them: where each row is, then the rows.
    void prefetch(std::span<const KeyId> ids) const;
    /// nullopt when unknown or retired.
    std::optional<UsableKey> usable_key(std::string_view kid) const;
    std::vector<UsableKey> usable_keys() const;
    /// Whether more than the row itself may have a word in what its key may do. False for most keys, for a few
    /// instructions.
    bool may_have_terms(const KeyRow& row) const;
    TermsInForce terms_of(const KeyRow& row) const;
    /// Of the state this reader reads: incomplete as soon as the view was reset.
    Freshness freshness() const;

    /// Which issue of the row's key the token with this digest was proven to be, as far as the view remembers and as
    /// long as the signing key that proved it is usable. Proof of nothing else: status, expiry and grace are the
    /// caller's.
    std::optional<Issue> recall(const KeyRow& row, const jwt::TokenDigest& digest) const;
    /// What recall() knows by `from` it knows by `to` from now on: two digests of the same token.
    void replace(const KeyRow& row, Issue issue, const jwt::TokenDigest& from, const jwt::TokenDigest& to) const;
    /// After a good signature by `key` and a comparison of the claims with the row.
    static void remember(const KeyRow& row, Issue issue, const jwt::TokenDigest& digest, const UsableKey& key) {
      row.memo(issue).remember(digest, key.seal);
    }

   private:
    const Impl& impl_;
    std::size_t slot_;
    const State* state_;
  };

  /// The public key of that kid when it is signing or verifying; nullopt when unknown or retired.
  std::optional<Ed25519PublicKey> signing_key(std::string_view kid) const;
  /// Consistent in itself; a few nanoseconds.
  Freshness freshness() const;
  std::size_t key_count() const;
  std::size_t resident_bytes() const;

 private:
  void apply_row(const AccessKey& key, Version version);
  template <class Row>
  void apply_named(const Row& row, Version version);

  std::unique_ptr<Impl> impl_;
};

}  // namespace latchkey::view

#pragma once

// The query side's state in memory: one row a key id, at most 128 bytes a key at ten million keys, and the signing keys.
// One writer (the projector's thread), any number of readers, which never wait for it.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "jwt/digest.hpp"
#include "key/access_key.hpp"
#include "key/change.hpp"
#include "key/position.hpp"

namespace latchkey::view {

/// What the access check needs of a row, immutable once published; only the memo is written later, by readers.
/// Names, metadata and the audit members stay in the store.
class KeyRow;

/// Where the view stands. `complete` is false before the first load has caught up and from the moment a reload is needed.
struct Freshness {
  bool complete = false;
  Position position;
  BootTime current_as_of;  // a moment at which the view held all that was committed
};

class View {
 public:
  View();
  ~View();

  // --- writer: one thread ---------------------------------------------------------------------------------------------

  /// Distrusts and drops everything: readers find nothing and freshness() is incomplete until mark_current().
  void reset();
  /// By full row. A row whose version is not newer than the one held changes nothing: stale and repeated ones are harmless.
  void apply(const AccessKey& key);
  void apply(const SigningKey& key, std::uint64_t version);
  void apply(const Change& change);
  /// The view holds all changes up to `position`; when `as_of` is given, nothing else was committed at that moment.
  void advance(Position position, std::optional<BootTime> as_of);

  // --- readers: any thread --------------------------------------------------------------------------------------------

  /// While one lives, rows found through it stay valid. Cheap (two stores); do not hold one across a wait.
  class Reader {
   public:
    explicit Reader(const View& view);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    const KeyRow* find(KeyId id) const;

   private:
    const View& view_;
    std::size_t slot_;
  };

  /// The public key of that kid when it is signing or verifying; nullopt when unknown or retired.
  std::optional<Ed25519PublicKey> signing_key(std::string_view kid) const;
  Freshness freshness() const;
  std::size_t key_count() const;
  std::size_t resident_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace latchkey::view

#pragma once

// Makes notices of what happens: from the change log, in its order, and from the clock.
//
// Example: a key that expires on the 31st gets "key.expires-in-7-days" in the minute in which the 24th has come to the same
// time of day. One that is made on the 28th never does: it crosses that line no more, but those of one day and of none.
//
// How far it has come stands in the store. Several management services may make the same notice: it is stored once. After a
// kill it looks again at what it may have seen already. At its very first start it begins with the present.

#include <optional>
#include <span>
#include <vector>

#include "key/change.hpp"
#include "key/notice.hpp"
#include "store/key_store.hpp"

namespace latchkey::notices {

/// What a change gives notice of; nullopt: of nothing.
std::optional<Notice> notice_of(const Change& change);
/// What came due by clock between the two, of these keys.
std::vector<Notice> due_between(UnixMillis after, UnixMillis until, std::span<const ExpiringKey> keys);

/// One thread.
class NoticeMaker {
 public:
  NoticeMaker(store::KeyStore& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// New changes, and once a minute what came due. How many notices were made; where it was the most that one look
  /// takes, there may be more.
  Result<std::uint64_t> look();

  static constexpr std::size_t changes_a_look = 500;
  static constexpr std::int64_t millis_between_clocks = 60'000;

 private:
  struct Marks {
    std::uint64_t seq = 0;  // of the last change that was looked at
    UnixMillis clock;       // what came due until then is made
  };
  Result<Marks> read_marks();
  Result<std::uint64_t> store_notices(std::span<const Notice> of_changes, Marks next);

  store::KeyStore& store_;
  const Clock& clock_;
  std::optional<Marks> known_;
};

}  // namespace latchkey::notices

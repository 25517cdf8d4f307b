#pragma once

// Sends notices to one target, in their order, each until it was taken: at least once, and what comes later waits. So the
// notices of a key never overtake each other. A target that is down for an hour gets all of it afterwards.
//
// How far it has come stands in the store, under the target's URL. Of several management services one sends at a time: the
// one that holds the mark's lease. A target that is new begins with the notices that are made from then on.

#include <functional>
#include <string>

#include "base/retry_backoff.hpp"
#include "key/notice.hpp"
#include "store/key_store.hpp"

namespace latchkey::notices {

/// One thread.
class NoticeSender {
 public:
  using Deliver = std::function<Result<void>(const Notice&)>;
  /// `name` tells the target from others; `owner` this process from others.
  NoticeSender(store::KeyStore& store, const Clock& clock, std::string name, std::string owner, Deliver deliver);

  /// Sends what there is, up to a page. How long to wait before the next time.
  std::chrono::milliseconds step();

  static constexpr std::size_t notices_a_step = 5;
  static constexpr std::chrono::milliseconds idle_pause{1000};
  static constexpr std::chrono::milliseconds first_pause{1000}, longest_pause{300'000};
  static constexpr std::int64_t lease_ms = 60'000;  // more than a step takes, each of its notices 10 s

 private:
  /// False: another one sends, or the store does not answer.
  bool take_lease();
  std::chrono::milliseconds send(const std::vector<Notice>& notices);
  std::chrono::milliseconds failed(const Error& why);

  store::KeyStore& store_;
  const Clock& clock_;
  const std::string name_, owner_;
  const Deliver deliver_;
  std::optional<std::uint64_t> mark_;  // the last notice that was taken, as far as this process knows
  RetryBackoff backoff_{first_pause, longest_pause};
};

}  // namespace latchkey::notices

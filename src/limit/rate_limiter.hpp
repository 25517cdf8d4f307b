#pragma once

// The rate limit contract: in no interval of 60 seconds are more than `requests_per_minute` requests of a
// key admitted; a request is refused only if that many were admitted within the last 61 seconds. Refusals cost nothing.
// Every engine passes the suite in limit/testing/rate_limiter_suite.hpp.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "base/clock.hpp"
#include "key/key_id.hpp"
#include "key/position.hpp"
#include "limit/active_limit.hpp"

namespace latchkey::limit {

constexpr std::chrono::seconds window{60};

/// The limit as the view knows it. `version` (the seq of the row) tells engines with shared state which of two limits
/// of one epoch is newer; of two epochs nobody can say.
struct Limit {
  std::uint32_t requests_per_minute = 1;
  Version version = {};
  Epoch epoch = {};
};

/// What became of one request.
struct Decision {
  bool admitted = false;
  std::uint32_t remaining = 0;            // permits left in the window now
  std::uint32_t reset_seconds = 0;        // until `remaining` grows, rounded up; 0 when no permit is used
  std::uint32_t retry_after_seconds = 0;  // refused: waiting this long is enough for one request, ≥ 1
  bool unavailable = false;               // refused because shared state cannot be reached: 503, not 429
  bool full = false;                      // refused since there is no room for one more counter: 503
};

/// What is left, without taking: for the holder's plan.
struct Allowance {
  std::uint32_t remaining = 0;
  std::uint32_t reset_seconds = 0;  // as in Decision
};

/// Any thread may call any method.
class RateLimiter {
 public:
  using Later = std::move_only_function<void(Decision)>;
  virtual ~RateLimiter() = default;

  /// Takes one permit if the contract allows. nullopt: this needs a round trip; call admit_later().
  /// The local engine always decides.
  virtual std::optional<Decision> try_admit(KeyId key, Limit limit) = 0;
  /// Decides through a round trip; `done` is called once, on any thread.
  virtual void admit_later(KeyId key, Limit limit, Later done) = 0;
  virtual Allowance peek(KeyId key, Limit limit) = 0;
  // The same for a request under several limits, of any cost (limit/active_limit.hpp). A key with a plain
  // `requestsPerMinute` and a request of cost 1 go the way above; both ways share the count.

  using VerdictLater = std::move_only_function<void(Verdict)>;
  /// nullopt: call charge_later(). Nothing was taken.
  virtual std::optional<Verdict> try_charge(const Charge& charge);
  /// Decides once what is needed is known to be durable, or shared; `done` is called once, on any thread.
  virtual void charge_later(const Charge& charge, VerdictLater done);
  /// What is left of each limit, without taking.
  virtual Verdict look(const Charge& charge);

  /// These keys will probably be asked about within microseconds. An engine that keeps its state far away in memory may
  /// begin to fetch it, of all at once; nothing else changes.
  virtual void expect(std::span<const KeyId>) {}
  /// Called ten times a second, by one thread, for what an engine does beside requests.
  virtual void keep() {}
};

}  // namespace latchkey::limit

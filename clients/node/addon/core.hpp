#pragma once

// One replica in this process, shared by all its JavaScript environments (the main thread and worker threads) that
// open it with the same settings. It ends with the last handle.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "addon/machine_claim.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "config/settings.hpp"
#include "main/replica.hpp"
#include "tokens_service/signature_queue.hpp"

namespace latchkey::node {

/// What the limiter said of several limits, or of a request that does not cost one.
struct Charged {
  access::LimitsInForce limits;
  limit::Verdict verdict;
};

/// What became of one request.
struct Verdict {
  std::optional<access::Refusal> refusal;  // none: admitted
  std::optional<access::Holder> holder;    // known where admitted or refused by a limit
  limit::Decision decision;                // by the limiter, where it was asked about the one limit that most keys have
  std::optional<Charged> charged;          // where it was asked otherwise
};

/// Any thread may call any method.
class Core {
 public:
  using Done = std::move_only_function<void(const Verdict&)>;
  static Result<std::shared_ptr<Core>, ReplicaError> open(const config::Settings& settings);
  ~Core();

  /// Decides at once. nullopt: this needs a signature or a permit from Redis, and nothing was taken; call
  /// check_later().
  std::optional<Verdict> check(std::string_view token, std::uint32_t cost);
  /// Calls `done` once: before it returns, or on a thread of the core.
  void check_later(std::string token, std::uint32_t cost, Done done);

  struct State {
    access::Readiness readiness;
    Position position;
    Duration age;
    std::size_t keys;
  };
  State state() const;

 private:
  Core() = default;
  std::optional<Verdict> charge(const access::Holder& holder, std::uint32_t cost);
  void charge_later(const access::Holder& holder, std::uint32_t cost, Done done);
  void admit_later(const access::Holder& holder, std::uint32_t cost, Done done);
  limit::Limit limit_of(const access::Holder& holder) const;
  Epoch epoch() const { return replica_->view().freshness().position.epoch; }

  SystemClock clock_;
  Metrics metrics_;
  std::optional<MachineClaim> machine_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<tokens_service::SignatureQueue> signatures_;
};

}  // namespace latchkey::node

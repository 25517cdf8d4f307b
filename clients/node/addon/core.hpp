#pragma once

// One replica in this process, shared by all its JavaScript environments (the main thread and worker threads) that
// open it with the same settings. It ends with the last handle.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/trusted_proxies.hpp"
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

/// What a request asks of its key, and where it says that it comes from.
struct Question {
  std::vector<std::string> scopes;         // all of them
  http::Peer peer;                         // of the connection
  std::vector<std::string> forwarded_for;  // the values of its X-Forwarded-For lines, in their order
};

/// Why a request cannot be decided at once. Nothing was taken.
enum class Undecided : std::uint8_t {
  unproven,  // this needs a signature, or a permit from Redis
  unasked    // the key is bound to scopes or networks, and no question came with the token
};

/// Any thread may call any method.
class Core {
 public:
  using Done = std::move_only_function<void(const Verdict&)>;
  static Result<std::shared_ptr<Core>, ReplicaError> open(const config::Settings& settings);
  ~Core();

  /// Decides at once, if it can. Most keys are bound to nothing that a question answers, so `question` may be null.
  Result<Verdict, Undecided> check(std::string_view token, std::uint32_t cost, const Question* question);
  /// Calls `done` once: before it returns, or on a thread of the core.
  void check_later(std::string token, std::uint32_t cost, Question question, Done done);

  struct State {
    access::Readiness readiness;
    Position position;
    Duration age;
    std::size_t keys;
  };
  State state() const;

 private:
  Core() = default;
  std::optional<access::Refusal> refusal_by_rules(const access::Holder& holder, const Question& question) const;
  Result<Verdict, Undecided> charge(const access::Holder& holder, std::uint32_t cost);
  void charge_later(const access::Holder& holder, std::uint32_t cost, Done done);
  void admit_later(const access::Holder& holder, std::uint32_t cost, const Question& question, Done done);
  limit::Limit limit_of(const access::Holder& holder) const;
  Epoch epoch() const { return replica_->view().freshness().position.epoch; }

  SystemClock clock_;
  Metrics metrics_;
  access::TrustedProxies trusted_;
  access::ClientAddress address_source_ = access::ClientAddress::peer;
  std::optional<MachineClaim> machine_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<tokens_service::SignatureQueue> signatures_;
};

}  // namespace latchkey::node

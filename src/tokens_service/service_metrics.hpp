#pragma once

#include <array>

#include "access/refusal.hpp"
#include "base/metrics.hpp"
#include "tokens_service/parts.hpp"
#include "tokens_service/signature_queue.hpp"

namespace latchkey::tokens_service {

/// What became of the key holders' requests, and the service's gauges.
class ServiceMetrics {
 public:
  explicit ServiceMetrics(const Parts& parts);
  /// Once the queue is there.
  void watch(const SignatureQueue& queue);

  void admitted() { admitted_->add(); }
  void plan() { plan_->add(); }
  /// Let in without a key: "public", "preflight".
  void anonymous(std::string_view outcome) { (outcome == "public" ? public_ : preflight_)->add(); }
  void refused(access::Refusal reason) { refused_[static_cast<std::size_t>(reason)]->add(); }
  /// Admitted, and an observed limit would have refused it.
  void would_limit() { would_limit_->add(); }
  /// Latchkey-At-Least: malformed, or not reached.
  void position_refused() { position_refused_->add(); }
  void took(Duration duration) { duration_->observe(std::chrono::duration<double>(duration).count()); }

 private:
  Metrics& metrics_;
  Counter* admitted_;
  Counter* plan_;
  Counter* public_;
  Counter* preflight_;
  Counter* position_refused_;
  Counter* would_limit_;
  std::array<Counter*, access::refusal_count> refused_;
  Histogram* duration_;
};

}  // namespace latchkey::tokens_service

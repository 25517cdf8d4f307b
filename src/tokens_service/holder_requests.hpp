#pragma once

#include "tokens_service/call.hpp"
#include "tokens_service/service_metrics.hpp"
#include "tokens_service/tokens_service.hpp"
#include "tokens_service/usage_notes.hpp"

namespace latchkey::tokens_service {

constexpr std::string_view not_stored = "Cache-Control: no-store\r\n";

/// The limit that the request is counted against, where the key has one number of requests per minute.
limit::Limit limit_of(const Call& call, const access::Holder& holder);

/// By the rule of the request.
inline std::uint32_t cost_of(const Call& call) { return call.rule == nullptr ? 1 : call.rule->cost; }

/// `others` and, in a header, which problem it is: a proxy that asks for 403 cannot hand on the body.
std::string_view name_problem(HeaderLines& lines, std::string_view others, access::Refusal reason);

/// A key holder's request, one step of its way a method; the route's function comes last. Any thread.
class HolderRequests {
 public:
  using Holder = access::Holder;

  HolderRequests(const Parts& parts, const TokensServiceConfig& config);

  void handle(http::Exchange& exchange, const Route& route);
  void expect(std::span<const http::Request* const> soon);

  /// For the routes: answers, counts and logs a request that was let in.
  void answer(Call& call, const Holder& holder, const http::Answer& answer);
  const Parts& parts() const { return parts_; }

 private:
  /// False: the request is answered, for it needs no key or is refused whatever key it has.
  bool apply_rules(Call& call);
  void answer_anonymous(Call& call, std::string_view outcome);
  void await_position(Call& call);
  void wait(Call& call, Position position, const access::Outcome& now);
  void waited(Call& call, view::Awaited awaited);
  void check(Call& call);
  template <class Then>
  void queue_signature(Call& call, KeyId key, Then then);
  void decide(Call& call, const access::Outcome& outcome);
  void admit(Call& call, const Holder& holder);
  /// By the key's networks and scopes; false: the request is refused.
  bool passes_rules(Call& call, const Holder& holder);
  void admit_otherwise(Call& call, const Holder& holder);
  void decided(Call& call, const Holder& holder, const limit::Decision& decision);
  void charge(Call& call, const Holder& holder);
  void charged(Call& call, const Holder& holder, const access::LimitsInForce& limits, const limit::Verdict& verdict);

  void answer_uncounted(Call& call, const Holder& holder);
  void refuse(Call& call, access::Refusal reason, const Holder* holder = nullptr);
  void refuse_scope(Call& call, const Holder& holder);
  void refuse_by_limit(Call& call, const Holder& holder, const limit::Decision& decision);
  void refuse_charge(Call& call, const Holder& holder, const access::LimitsInForce& limits,
                     const limit::Verdict& verdict);
  void refuse_position(Call& call, int status, std::string_view why);

  /// Why a request is refused, as it is noted.
  struct RefusedBy {
    std::string_view outcome;
    const Holder* holder;                        // null: no signature has proved the key
    std::span<const std::string_view> limits{};  // that refuse
    std::uint32_t retry_after_seconds = 0;
  };
  /// Every refusal goes out here, with an id that its answer and the log have.
  void send_refusal(Call& call, const http::Answer& answer, HeaderLines& lines, const RefusedBy& by);
  void note(const Call& call, int status, std::string_view outcome, const Holder* holder,
            const report::RefusedRequest* refused);

  const Parts parts_;
  const TokensServiceConfig config_;
  ServiceMetrics metrics_;
  const UsageNotes usage_{parts_};
  SignatureQueue signatures_;  // last: its threads end before the rest goes
};

}  // namespace latchkey::tokens_service

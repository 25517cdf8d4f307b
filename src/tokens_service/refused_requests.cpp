// A request that is refused: its answer, its id, and what is noted of it; and what is noted of any.

#include <algorithm>
#include <array>

#include "access/refusal_problem.hpp"
#include "http/ascii.hpp"
#include "http/problem.hpp"
#include "key/request_id.hpp"
#include "tokens_service/holder_requests.hpp"
#include "tokens_service/limit_refusal.hpp"

namespace latchkey::tokens_service {
namespace {

using access::Refusal;

/// What a client did, as a 403 with the true status beside it.
const http::Answer& ambiguous_as_403() {
  static const http::Response response = [] {
    http::Problem problem = access::to_problem(Refusal::ambiguous);
    const int status = std::exchange(problem.status, 403);
    return http::to_response(problem).with_header("X-Latchkey-Status", std::to_string(status));
  }();
  static const http::Answer answer = response.view();
  return answer;
}

/// A problem document that is made once, with what only this request has: `"instance":"/v1/requests/ID"`. Valid until
/// the thread's next.
std::string_view with_instance(std::string_view problem, std::string_view id) {
  thread_local std::string body;
  body.assign(problem.substr(0, problem.size() - 1));
  body.append(R"(,"instance":"/v1/requests/)").append(id).append("\"}");
  return body;
}

/// Behind /v1/rules/{name}/authorize stands the path that was asked about, as behind /v1/authorize.
Original path_below_rule(const http::Request& request) {
  constexpr std::string_view before = "/v1/rules/", behind = "/authorize";
  const std::size_t length = before.size() + request.params[0].size() + behind.size();
  return {request.method_text, request.path.substr(std::min(length, request.path.size()))};
}

std::optional<Original> original_to_note(const Call& call, const ForwardAuth& forward) {
  if (asker_of(call) == Asker::proxy_by_rule && forward.source == OriginalSource::path) {
    return path_below_rule(*call.request);
  }
  return original_of(*call.request, peer_of(call), forward);
}

struct Traces {
  std::string_view request_id, traceparent;
};

Traces traces_of(const http::Request& request) {
  constexpr std::string_view id_name = "x-request-id", trace_name = "traceparent";
  Traces traces;
  for (const auto& [name, value] : request.headers) {
    if (name.size() == id_name.size() && http::equals_ignoring_case(name, id_name)) traces.request_id = value;
    if (name.size() == trace_name.size() && http::equals_ignoring_case(name, trace_name)) traces.traceparent = value;
  }
  return traces;
}

}  // namespace

std::string_view name_problem(HeaderLines& lines, std::string_view others, Refusal reason) {
  return lines.lines(others).line("X-Latchkey-Problem", access::problem_name(reason)).text();
}

void HolderRequests::refuse(Call& call, Refusal reason, const Holder* holder) {
  metrics_.refused(reason);
  usage_.refused(call, reason, holder);
  const bool reported_as_403 = call.deny == Deny::as_403 && reason == Refusal::ambiguous;
  const http::Answer& answer = reported_as_403 ? ambiguous_as_403() : access::answer_of(reason);
  HeaderLines lines;
  lines.lines(answer.header_lines);
  if (call.deny == Deny::as_403) name_problem(lines, {}, reason);
  send_refusal(call, answer, lines, {to_string(reason), holder});
}

void HolderRequests::refuse_scope(Call& call, const Holder& holder) {
  constexpr Refusal reason = Refusal::insufficient_scope;
  metrics_.refused(reason);
  usage_.refused(call, reason, &holder);
  HeaderLines lines;
  lines.scope_challenge(call.rule->scope);
  if (call.deny == Deny::as_403) name_problem(lines, {}, reason);
  send_refusal(call, access::answer_of(reason), lines, {to_string(reason), &holder});
}

void HolderRequests::refuse_by_limit(Call& call, const Holder& holder, const limit::Decision& decision) {
  if (decision.unavailable) return refuse(call, Refusal::limiter_unavailable, &holder);
  if (decision.full) return refuse(call, Refusal::limiter_full, &holder);
  constexpr Refusal reason = Refusal::rate_limited;
  const http::Answer& answer = per_minute_refusal(call.deny);
  HeaderLines lines;
  lines.rate_limit(holder.requests_per_minute, decision).retry_after(decision.retry_after_seconds);
  if (call.deny == Deny::as_403) name_problem(lines, answer.header_lines, reason);
  metrics_.refused(reason);
  usage_.refused(call, reason, &holder);
  constexpr std::array limits{per_minute_name};
  send_refusal(call, answer, lines, {to_string(reason), &holder, limits, decision.retry_after_seconds});
}

void HolderRequests::refuse_position(Call& call, int status, std::string_view why) {
  http::Problem problem{"position-not-reached", "Position not reached", status, std::string(why)};
  if (status == 400) {
    problem.name = "invalid-position";
    problem.title = "Invalid position";
  }
  const http::Response response = http::to_response(problem);
  metrics_.position_refused();
  HeaderLines lines;
  if (status == 503) lines.retry_after(1);
  send_refusal(call, response.view(), lines, {problem.name, nullptr});
}

void HolderRequests::send_refusal(Call& call, const http::Answer& answer, HeaderLines& lines, const RefusedBy& by) {
  const RequestId id = next_request_id();
  const auto text = text_of(id);
  const std::string_view shown(text.data(), text.size());
  lines.line("Latchkey-Request-Id", shown);
  const report::RefusedRequest refused{.id = id,
                                       .position = call.position,
                                       .rule = call.rule == nullptr ? std::string_view() : call.rule->name,
                                       .limits = by.limits,
                                       .retry_after_seconds = by.retry_after_seconds};
  note(call, answer.status, by.outcome, by.holder, &refused);
  usage_.keep(call, shown, by.outcome, by.holder, by.limits);
  send(call, {answer.status, answer.content_type, lines.text(), with_instance(answer.body, shown)});
}

void HolderRequests::note(const Call& call, int status, std::string_view outcome, const Holder* holder,
                          const report::RefusedRequest* refused) {
  const BootTime now = parts_.clock.boot();
  const Duration took = now - call.started;
  metrics_.took(took);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  const auto original = is_asked_by_proxy(call) ? original_to_note(call, parts_.forward) : std::nullopt;
  const auto [request_id, traceparent] = traces_of(*call.request);
  parts_.log.record({.time = parts_.clock.wall(),
                     .clock_millis = now.nanos / 1'000'000,
                     .key_id = holder == nullptr ? std::nullopt : std::optional(holder->key_id),
                     .user_id = holder == nullptr ? std::string_view() : holder->user_id(),
                     .method = to_string(call.request->method),
                     .path = call.request->path,
                     .outcome = outcome,
                     .status = status,
                     .latency_micros = static_cast<std::uint32_t>(std::min<std::int64_t>(micros, UINT32_MAX)),
                     .cost = cost_of(call),
                     .client = access::client_address(*call.request, peer_of(call), parts_.forward.trusted,
                                                      parts_.forward.client_address),
                     .plan = holder == nullptr ? std::string_view() : holder->plan(),
                     .original_method = original ? original->method : std::string_view(),
                     .original_target = original ? original->target : std::string_view(),
                     .proxy_request_id = request_id,
                     .traceparent = traceparent,
                     .refused = refused});
}

}  // namespace latchkey::tokens_service

#include "tokens_service/holder_requests.hpp"

#include <algorithm>

#include "access/credentials.hpp"
#include "access/refusal_problem.hpp"
#include "http/ascii.hpp"
#include "http/problem.hpp"
#include "tokens_service/limit_refusal.hpp"

namespace latchkey::tokens_service {
namespace {

using access::Refusal;

bool is_counted(const Call& call) { return call.route->needs == service::Needs::permit; }
Asker asker_of(const Call& call) { return std::get<HolderRoute>(call.route->handler).asker; }
bool is_asked_by_proxy(const Call& call) { return asker_of(call) != Asker::holder; }

/// The query of /v1/authorize is the proxy's client's, but for this one parameter: nothing else in it is looked at.
Deny deny_of(std::string_view query) {
  while (!query.empty()) {
    const std::string_view piece = query.substr(0, query.find('&'));
    if (piece == "deny=403") return Deny::as_403;
    query.remove_prefix(std::min(piece.size() + 1, query.size()));
  }
  return Deny::as_is;
}

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

/// What is wrong with the token itself stays wrong whatever the view learns.
bool is_beyond_any_view(Refusal reason) {
  return (reason >= Refusal::malformed && reason <= Refusal::wrong_role) || reason == Refusal::bad_signature;
}

}  // namespace

std::string_view name_problem(HeaderLines& lines, std::string_view others, Refusal reason) {
  return lines.lines(others).line("X-Latchkey-Problem", access::problem_name(reason)).text();
}

limit::Limit limit_of(const Call& call, const access::Holder& holder) {
  return {.requests_per_minute = holder.requests_per_minute, .version = holder.version, .epoch = call.position.epoch};
}

HolderRequests::HolderRequests(const Parts& parts, const TokensServiceConfig& config)
    : parts_(parts), config_(config), metrics_(parts), signatures_(parts.check, config.signatures) {
  metrics_.watch(signatures_);
}

void HolderRequests::handle(http::Exchange& exchange, const Route& route) {
  const http::Request& request = exchange.request();
  Call call{.exchange = &exchange, .request = &request, .route = &route};
  call.started = parts_.clock.boot();
  call.position = parts_.view.freshness().position;
  const bool by_proxy = is_asked_by_proxy(call);
  if (by_proxy) call.deny = deny_of(request.query);
  if (!apply_rules(call)) return;
  const auto token = by_proxy ? access::token_in_headers(request) : access::presented_token(request);
  if (!token) return refuse(call, token.error());
  call.token = *token;
  await_position(call);
}

bool HolderRequests::apply_rules(Call& call) {
  if (!is_counted(call)) return true;  // a holder's own affairs
  const rules::RuleTable& table = parts_.rules.current();
  const bool named = asker_of(call) == Asker::proxy_by_rule;
  const auto name = named ? std::optional(call.request->params[0]) : std::nullopt;
  const Ruling ruling = is_asked_by_proxy(call)
                            ? rule_on_question(*call.request, call.exchange->peer(), name, table, parts_.forward)
                            : rule_on_own(*call.request, table);
  call.rule = ruling.rule;
  switch (ruling.kind) {
    case Ruling::Kind::key:
      return true;
    case Ruling::Kind::open:
      return answer_anonymous(call, "public"), false;
    case Ruling::Kind::preflight:
      return answer_anonymous(call, "preflight"), false;
    case Ruling::Kind::refused:
      break;
  }
  return refuse(call, ruling.reason), false;
}

void HolderRequests::answer_anonymous(Call& call, std::string_view outcome) {
  call.anonymous = true;
  call.outcome = outcome;
  HeaderLines lines;
  lines.lines(not_stored);
  metrics_.anonymous(outcome);
  std::get<HolderRoute>(call.route->handler).answer(*this, call, {}, lines);
}

void HolderRequests::expect(std::span<const http::Request* const> soon) {
  std::array<std::string_view, access::AccessCheck::most_expected> tokens;
  const std::size_t count = std::min(soon.size(), tokens.size());
  for (std::size_t i = 0; i < count; ++i) tokens[i] = access::expected_token(*soon[i]);
  parts_.check.expect({tokens.data(), count}, parts_.limiter);
}

// The headers of a proxy's question may be its client's, which could make the proxy wait.
void HolderRequests::await_position(Call& call) {
  if (is_asked_by_proxy(call) && !parts_.forward.trusted.trusts(call.exchange->peer())) return check(call);
  const http::Header* wanted = nullptr;
  for (const auto& header : call.request->headers) {
    if (!http::equals_ignoring_case(header.name, "latchkey-at-least")) continue;
    if (wanted != nullptr) return refuse_position(call, 400, "Latchkey-At-Least came more than once.");
    wanted = &header;
  }
  if (wanted == nullptr) return check(call);
  const auto position = Position::parse(wanted->value);
  if (!position) return refuse_position(call, 400, "Latchkey-At-Least is no position, such as 00c0ffee00c0ffee.42.");
  const auto known = view::outcome_of_wait(*position, parts_.view.freshness());
  known ? waited(call, *known) : wait(call, *position, parts_.check.check(call.token));
}

// Waiting costs a place, so it wants proof first: the signature, where the view knows the key. What no view can change
// need not wait for one.
void HolderRequests::wait(Call& call, Position position, const access::Outcome& now) {
  if (const auto* unproven = std::get_if<access::NeedsSignature>(&now)) {
    return queue_signature(call, unproven->key_id, [this, position](Call& proved, const access::Outcome& outcome) {
      wait(proved, position, outcome);
    });
  }
  const auto* refused = std::get_if<access::Refused>(&now);
  if (refused != nullptr && is_beyond_any_view(refused->reason)) return refuse(call, refused->reason);
  view::WaitingFor caller;
  if (const Holder* holder = access::holder_in(now)) caller = holder->key_id;
  const auto kept = keep(call);
  const BootTime deadline = parts_.clock.boot() + config_.longest_wait;
  const auto waiting = parts_.projector.notify_when(position, deadline, caller,
                                                    [this, kept](view::Awaited awaited) { waited(*kept, awaited); });
  if (waiting == view::Projector::Waiting::too_many) refuse(*kept, Refusal::overloaded);
  if (waiting == view::Projector::Waiting::other_epoch) waited(*kept, view::Awaited::other_epoch);
}

void HolderRequests::waited(Call& call, view::Awaited awaited) {
  call.position = parts_.view.freshness().position;
  switch (awaited) {
    case view::Awaited::reached:
      return check(call);
    case view::Awaited::timed_out:
      return refuse_position(call, 503, "This replica has not reached the position in time.");
    case view::Awaited::other_epoch:
      return refuse_position(call, 503, "The position is of another epoch than this replica's.");
  }
}

void HolderRequests::check(Call& call) { decide(call, parts_.check.check(call.token, &parts_.limiter)); }

void HolderRequests::decide(Call& call, const access::Outcome& outcome) {
  if (const auto* holder = std::get_if<Holder>(&outcome)) {
    return is_counted(call) ? admit(call, *holder) : answer_uncounted(call, *holder);
  }
  if (const auto* refused = std::get_if<access::Refused>(&outcome)) {
    return refuse(call, refused->reason, access::holder_in(outcome));
  }
  const KeyId key = std::get<access::NeedsSignature>(outcome).key_id;
  queue_signature(call, key, [this](Call& proved, const access::Outcome& checked) { decide(proved, checked); });
}

template <class Then>
void HolderRequests::queue_signature(Call& call, KeyId key, Then then) {
  const auto kept = keep(call);
  const bool taken =
      signatures_.submit(key, kept->token, [kept, then](const access::Outcome& outcome) { then(*kept, outcome); });
  if (!taken) refuse(*kept, Refusal::overloaded);
}

void HolderRequests::admit(Call& call, const Holder& holder) {
  if (holder.has_rules && !passes_rules(call, holder)) return;
  if (holder.bound != access::Bound::per_minute || cost_of(call) != 1) return admit_otherwise(call, holder);
  const limit::Limit limit = limit_of(call, holder);
  if (const auto decision = parts_.limiter.try_admit(holder.key_id, limit)) return decided(call, holder, *decision);
  const auto kept = keep(call);
  parts_.limiter.admit_later(holder.key_id, limit,
                             [this, kept, holder](limit::Decision decision) { decided(*kept, holder, decision); });
}

bool HolderRequests::passes_rules(Call& call, const Holder& holder) {
  access::Asked asked;
  asked.address =
      access::client_address(*call.request, peer_of(call), parts_.forward.trusted, parts_.forward.client_address);
  if (call.rule != nullptr) asked.scopes = call.rule->scope;
  const auto refusal = parts_.check.refusal_of_rules(holder, asked);
  if (!refusal) return true;
  return *refusal == Refusal::insufficient_scope ? refuse_scope(call, holder) : refuse(call, *refusal, &holder), false;
}

void HolderRequests::admit_otherwise(Call& call, const Holder& holder) {
  if (const auto refusal = access::refusal_of_bound(holder.bound)) return refuse(call, *refusal, &holder);
  if (holder.bound != access::Bound::unlimited) return charge(call, holder);
  HeaderLines lines;
  lines.lines(not_stored);
  metrics_.admitted();
  std::get<HolderRoute>(call.route->handler).answer(*this, call, holder, lines);
}

void HolderRequests::decided(Call& call, const Holder& holder, const limit::Decision& decision) {
  if (!decision.admitted) return refuse_by_limit(call, holder, decision);
  HeaderLines lines;
  lines.rate_limit(holder.requests_per_minute, decision).lines(not_stored);
  metrics_.admitted();
  std::get<HolderRoute>(call.route->handler).answer(*this, call, holder, lines);
}

void HolderRequests::answer_uncounted(Call& call, const Holder& holder) {
  HeaderLines lines;
  lines.lines(not_stored);
  metrics_.plan();
  std::get<HolderRoute>(call.route->handler).answer(*this, call, holder, lines);
}

void HolderRequests::answer(Call& call, const Holder& holder, const http::Answer& answer) {
  if (call.outcome.empty()) call.outcome = is_counted(call) ? "admitted" : "plan";
  note(call, answer.status, call.outcome, call.anonymous ? nullptr : &holder);
  send(call, answer);
}

void HolderRequests::refuse(Call& call, Refusal reason, const Holder* holder) {
  metrics_.refused(reason);
  const bool reported_as_403 = call.deny == Deny::as_403 && reason == Refusal::ambiguous;
  http::Answer answer = reported_as_403 ? ambiguous_as_403() : access::answer_of(reason);
  note(call, answer.status, to_string(reason), holder);
  HeaderLines lines;
  if (call.deny == Deny::as_403) answer.header_lines = name_problem(lines, answer.header_lines, reason);
  send(call, answer);
}

void HolderRequests::refuse_scope(Call& call, const Holder& holder) {
  constexpr Refusal reason = Refusal::insufficient_scope;
  metrics_.refused(reason);
  http::Answer answer = access::answer_of(reason);
  HeaderLines lines;
  lines.scope_challenge(call.rule->scope);
  if (call.deny == Deny::as_403) name_problem(lines, {}, reason);
  answer.header_lines = lines.text();
  note(call, answer.status, to_string(reason), &holder);
  send(call, answer);
}

void HolderRequests::refuse_by_limit(Call& call, const Holder& holder, const limit::Decision& decision) {
  if (decision.unavailable) return refuse(call, Refusal::limiter_unavailable, &holder);
  if (decision.full) return refuse(call, Refusal::limiter_full, &holder);
  http::Answer answer = per_minute_refusal(call.deny);
  HeaderLines lines;
  lines.rate_limit(holder.requests_per_minute, decision).retry_after(decision.retry_after_seconds);
  if (call.deny == Deny::as_403) name_problem(lines, answer.header_lines, Refusal::rate_limited);
  answer.header_lines = lines.text();
  metrics_.refused(Refusal::rate_limited);
  note(call, answer.status, to_string(Refusal::rate_limited), &holder);
  send(call, answer);
}

void HolderRequests::refuse_position(Call& call, int status, std::string_view why) {
  http::Problem problem{"position-not-reached", "Position not reached", status, std::string(why)};
  if (status == 400) {
    problem.name = "invalid-position";
    problem.title = "Invalid position";
  }
  http::Response response = http::to_response(problem);
  if (status == 503) response.with_header("Retry-After", "1");
  metrics_.position_refused();
  note(call, status, problem.name, nullptr);
  send(call, response.view());
}

void HolderRequests::note(const Call& call, int status, std::string_view outcome, const Holder* holder) {
  const Duration took = parts_.clock.boot() - call.started;
  metrics_.took(took);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  parts_.log.record({.time = parts_.clock.wall(),
                     .key_id = holder == nullptr ? std::nullopt : std::optional(holder->key_id),
                     .user_id = holder == nullptr ? std::string_view() : holder->user_id(),
                     .method = to_string(call.request->method),
                     .path = call.request->path,
                     .outcome = outcome,
                     .status = status,
                     .latency_micros = static_cast<std::uint32_t>(std::min<std::int64_t>(micros, UINT32_MAX))});
}

}  // namespace latchkey::tokens_service

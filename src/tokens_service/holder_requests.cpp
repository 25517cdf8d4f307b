#include "tokens_service/key_routes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "access/credentials.hpp"
#include "access/refusal_problem.hpp"
#include "base/time_text.hpp"
#include "http/ascii.hpp"

namespace latchkey::tokens_service {
namespace {

using access::Refusal;

constexpr std::string_view json_type = "application/json";
constexpr std::string_view not_stored = "Cache-Control: no-store\r\n";

/// The query of /v1/authorize is the proxy's client's, but for this one parameter: nothing else in it is looked at.
Deny deny_of(std::string_view query) {
  while (!query.empty()) {
    const std::string_view piece = query.substr(0, query.find('&'));
    if (piece == "deny=403") return Deny::as_403;
    query.remove_prefix(std::min(piece.size() + 1, query.size()));
  }
  return Deny::as_is;
}

/// What a client did, as a 403 with the true status beside it, for proxies that make a 500 of all but 401 and 403
/// (nginx's auth_request). What failed here stays a 503.
template <Refusal reason>
const http::Answer& as_403() {
  static const http::Response response = [] {
    http::Problem problem = access::to_problem(reason);
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

limit::Limit limit_of(const Call& call, const access::Holder& holder) {
  return {
      .requests_per_minute = holder.requests_per_minute, .version = holder.version, .epoch = call.position.epoch.value};
}

/// Nearly always as it came: nothing in a symbol needs an escape.
std::string_view find_token(const catalog::Catalog& catalog, std::string_view segment) {
  if (!segment.contains('%')) return catalog.find_json(segment);
  const auto symbol = http::decode_segment(segment);
  return symbol ? catalog.find_json(*symbol) : std::string_view();
}

const http::Response& no_such_token() {
  static const http::Response response =
      http::to_response({"not-found", "Not found", 404, "The catalog has no token of this symbol."});
  return response;
}

}  // namespace

KeyRoutes::KeyRoutes(const TokensServiceParts& parts, const TokensServiceConfig& config)
    : parts_(parts), config_(config), metrics_(parts), signatures_(parts.check, config.signatures) {
  metrics_.watch(signatures_);
}

void KeyRoutes::handle(http::Exchange& exchange, Route route) {
  const http::Request& request = exchange.request();
  Call call{.exchange = &exchange, .request = &request, .route = route};
  call.started = parts_.clock.boot();
  call.position = parts_.view.freshness().position;
  const bool asked_by_proxy = route == Route::authorize;
  if (asked_by_proxy) call.deny = deny_of(request.query);
  const auto token = asked_by_proxy ? access::token_in_headers(request) : access::presented_token(request);
  if (!token) return refuse(call, token.error());
  call.token = *token;
  await_position(call);
}

void KeyRoutes::expect(std::span<const http::Request* const> soon) {
  std::array<std::string_view, access::AccessCheck::most_expected> tokens;
  const std::size_t count = std::min(soon.size(), tokens.size());
  for (std::size_t i = 0; i < count; ++i) tokens[i] = access::expected_token(*soon[i]);
  parts_.check.expect({tokens.data(), count}, parts_.limiter);
}

void KeyRoutes::await_position(Call& call) {
  const http::Header* wanted = nullptr;
  for (const auto& header : call.request->headers) {
    if (!http::equals_ignoring_case(header.name, "latchkey-at-least")) continue;
    if (wanted != nullptr) return refuse_position(call, 400, "Latchkey-At-Least came more than once.");
    wanted = &header;
  }
  if (wanted == nullptr) return check(call);
  const auto position = Position::parse(wanted->value);
  if (!position) return refuse_position(call, 400, "Latchkey-At-Least is no position, such as 00c0ffee00c0ffee.42.");
  const auto known = view::judge(*position, parts_.view.freshness());
  known ? waited(call, *known) : wait(call, *position, parts_.check.check(call.token));
}

// Waiting costs a place, so it wants proof first: the signature, where the view knows the key. What no view can change
// need not wait for one.
void KeyRoutes::wait(Call& call, Position position, const access::Outcome& now) {
  if (std::holds_alternative<access::NeedsSignature>(now)) {
    return queue_signature(
        call, [this, position](Call& proved, const access::Outcome& outcome) { wait(proved, position, outcome); });
  }
  const auto* refused = std::get_if<access::Refused>(&now);
  if (refused != nullptr && is_beyond_any_view(refused->reason)) return refuse(call, refused->reason);
  view::WaitingFor who;
  if (const Holder* holder = access::holder_in(now)) who = holder->key_id;
  const auto kept = keep(call);
  const BootTime deadline = parts_.clock.boot() + config_.longest_wait;
  const auto waiting = parts_.projector.notify_when(position, deadline, who,
                                                    [this, kept](view::Awaited awaited) { waited(*kept, awaited); });
  if (waiting == view::Projector::Waiting::too_many) refuse(*kept, Refusal::overloaded);
  if (waiting == view::Projector::Waiting::other_epoch) waited(*kept, view::Awaited::other_epoch);
}

void KeyRoutes::waited(Call& call, view::Awaited awaited) {
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

void KeyRoutes::check(Call& call) { decide(call, parts_.check.check(call.token, &parts_.limiter)); }

void KeyRoutes::decide(Call& call, const access::Outcome& outcome) {
  if (const auto* holder = std::get_if<Holder>(&outcome)) {
    return call.route == Route::plan ? answer_plan(call, *holder) : admit(call, *holder);
  }
  if (const auto* refused = std::get_if<access::Refused>(&outcome)) {
    return refuse(call, refused->reason, access::holder_in(outcome));
  }
  queue_signature(call, [this](Call& proved, const access::Outcome& checked) { decide(proved, checked); });
}

template <class Then>
void KeyRoutes::queue_signature(Call& call, Then then) {
  const auto kept = keep(call);
  const bool taken =
      signatures_.submit(kept->token, [kept, then](const access::Outcome& outcome) { then(*kept, outcome); });
  if (!taken) refuse(*kept, Refusal::overloaded);
}

void KeyRoutes::admit(Call& call, const Holder& holder) {
  const limit::Limit limit = limit_of(call, holder);
  if (const auto decision = parts_.limiter.try_admit(holder.key_id, limit)) return decided(call, holder, *decision);
  const auto kept = keep(call);
  parts_.limiter.admit_later(holder.key_id, limit,
                             [this, kept, holder](limit::Decision decision) { decided(*kept, holder, decision); });
}

void KeyRoutes::decided(Call& call, const Holder& holder, const limit::Decision& decision) {
  if (!decision.admitted) return refuse_by_limit(call, holder, decision);
  HeaderLines lines;
  lines.rate_limit(holder.requests_per_minute, decision).lines(not_stored);
  metrics_.admitted();
  answer_admitted(call, holder, lines);
}

void KeyRoutes::answer_admitted(Call& call, const Holder& holder, HeaderLines& lines) {
  const auto send_noted = [&](const http::Answer& answer) {
    note(call, answer.status, "admitted", &holder);
    send(call, answer);
  };
  if (call.route == Route::authorize) {
    lines.identity(holder.user_id(), holder.key_id);
    return send_noted({200, {}, lines.text(), {}});
  }
  const auto catalog = parts_.catalog.current();
  if (call.route == Route::list) return send_noted({200, json_type, lines.text(), catalog->list_json()});
  const std::string_view found = find_token(*catalog, call.request->params[0]);
  if (!found.empty()) return send_noted({200, json_type, lines.text(), found});
  const auto& missing = no_such_token();
  send_noted({missing.status, missing.content_type, lines.text(), missing.body});
}

void KeyRoutes::answer_plan(Call& call, const Holder& holder) {
  const auto allowance = parts_.limiter.peek(holder.key_id, limit_of(call, holder));
  // User ids are visible ASCII, of which only two characters need an escape.
  std::string user;
  for (const char c : holder.user_id()) user.append(c == '"' || c == '\\' ? "\\" : "").append(1, c);
  const std::string expires = holder.expires_at ? '"' + to_rfc3339(*holder.expires_at) + '"' : "null";
  const std::string body = fmt::format(
      R"({{"keyId":"{}","userId":"{}","requestsPerMinute":{},"expiresAt":{},"status":"active","issuedAt":"{}",)"
      R"("remaining":{},"resetSeconds":{},"position":"{}"}})",
      holder.key_id.to_string(), user, holder.requests_per_minute, expires,
      to_rfc3339({holder.issued_at.seconds * 1000}), allowance.remaining, allowance.reset_seconds,
      call.position.to_string());
  metrics_.plan();
  note(call, 200, "plan", &holder);
  send(call, {200, json_type, not_stored, body});
}

void KeyRoutes::refuse(Call& call, Refusal reason, const Holder* holder) {
  metrics_.refused(reason);
  const bool hidden = call.deny == Deny::as_403 && reason == Refusal::ambiguous;
  const auto& answer = hidden ? as_403<Refusal::ambiguous>() : access::answer_of(reason);
  note(call, answer.status, to_string(reason), holder);
  send(call, answer);
}

void KeyRoutes::refuse_by_limit(Call& call, const Holder& holder, const limit::Decision& decision) {
  if (decision.unavailable) return refuse(call, Refusal::limiter_unavailable, &holder);
  http::Answer answer = access::answer_of(Refusal::rate_limited);
  HeaderLines lines;
  lines.rate_limit(holder.requests_per_minute, decision).retry_after(decision.retry_after_seconds);
  if (call.deny == Deny::as_403) {
    answer = as_403<Refusal::rate_limited>();
    lines.lines(answer.header_lines);
  }
  answer.header_lines = lines.text();
  metrics_.refused(Refusal::rate_limited);
  note(call, answer.status, to_string(Refusal::rate_limited), &holder);
  send(call, answer);
}

void KeyRoutes::refuse_position(Call& call, int status, std::string_view why) {
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

void KeyRoutes::note(const Call& call, int status, std::string_view outcome, const Holder* holder) {
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

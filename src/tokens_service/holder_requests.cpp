#include "tokens_service/holder_requests.hpp"

#include <algorithm>

#include "access/credentials.hpp"
#include "http/ascii.hpp"
#include "http/problem.hpp"
#include "tokens_service/limit_refusal.hpp"

namespace latchkey::tokens_service {
namespace {

using access::Refusal;

bool is_counted(const Call& call) { return call.route->needs == service::Needs::permit; }

/// The query of /v1/authorize is the proxy's client's, but for this one parameter: nothing else in it is looked at.
Deny deny_of(std::string_view query) {
  while (!query.empty()) {
    const std::string_view piece = query.substr(0, query.find('&'));
    if (piece == "deny=403") return Deny::as_403;
    query.remove_prefix(std::min(piece.size() + 1, query.size()));
  }
  return Deny::as_is;
}

/// What is wrong with the token itself stays wrong whatever the view learns.
bool is_beyond_any_view(Refusal reason) {
  return (reason >= Refusal::malformed && reason <= Refusal::wrong_role) || reason == Refusal::bad_signature;
}

}  // namespace

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
  usage_.admitted(call, holder, cost_of(call));
  std::get<HolderRoute>(call.route->handler).answer(*this, call, holder, lines);
}

void HolderRequests::decided(Call& call, const Holder& holder, const limit::Decision& decision) {
  if (!decision.admitted) return refuse_by_limit(call, holder, decision);
  HeaderLines lines;
  lines.rate_limit(holder.requests_per_minute, decision).lines(not_stored);
  metrics_.admitted();
  usage_.admitted(call, holder, 1);
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
  note(call, answer.status, call.outcome, call.anonymous ? nullptr : &holder, nullptr);
  send(call, answer);
}

}  // namespace latchkey::tokens_service

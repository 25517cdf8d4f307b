#include "tokens_service/ruling.hpp"

#include <algorithm>

namespace latchkey::tokens_service {
namespace {

using access::Refusal;

constexpr std::string_view authorize = "/v1/authorize";

/// Of a header that must be there exactly once, and not empty.
std::optional<std::string_view> only(const http::Request& request, std::string_view name) {
  const auto value = request.header(name);
  return value && !value->empty() && request.header_count(name) == 1 ? value : std::nullopt;
}

std::optional<Original> from_headers(const http::Request& request, std::string_view uri, std::string_view method) {
  const auto target = only(request, uri);
  const auto verb = only(request, method);
  if (!target || !verb) return std::nullopt;
  return Original{*verb, *target};
}

Ruling refused(Refusal reason) { return {Ruling::Kind::refused, nullptr, reason}; }

Ruling by(const rules::Rule* rule) {
  if (rule == nullptr) return refused(Refusal::no_rule);
  return {rule->is_public ? Ruling::Kind::open : Ruling::Kind::key, rule, {}};
}

Ruling by_match(const Original& original, const rules::RuleTable& table) {
  const auto found = table.find(original.method, original.target);
  return found.ambiguous ? refused(Refusal::ambiguous_path) : by(found.rule);
}

bool is_preflight(const http::Request& request, const std::optional<Original>& original) {
  return original && original->method == "OPTIONS" && request.header("Origin") &&
         request.header("Access-Control-Request-Method");
}

}  // namespace

std::optional<Original> original_of(const http::Request& request, const http::Peer& peer, const ForwardAuth& forward) {
  if (forward.source == OriginalSource::path) {
    const bool below = request.path.starts_with(authorize);
    return Original{request.method_text, below ? request.path.substr(authorize.size()) : std::string_view()};
  }
  if (!forward.trusted.trusts(peer)) return std::nullopt;
  return forward.source == OriginalSource::x_original ? from_headers(request, "X-Original-URI", "X-Original-Method")
                                                      : from_headers(request, "X-Forwarded-Uri", "X-Forwarded-Method");
}

Ruling rule_on_question(const http::Request& request, const http::Peer& peer, std::optional<std::string_view> name,
                        const rules::RuleTable& table, const ForwardAuth& forward) {
  const bool may_pass = forward.preflight == Preflight::pass;
  const bool by_request = !name && table.matches_requests();
  if (!may_pass && !by_request) return name ? by(table.named(*name)) : Ruling{};
  const auto original = original_of(request, peer, forward);
  if (may_pass && is_preflight(request, original)) return {Ruling::Kind::preflight, nullptr, {}};
  if (!by_request) return name ? by(table.named(*name)) : Ruling{};
  // Behind /v1/authorize stands nothing where a proxy asks by a fixed path: that says nothing of the original request,
  // and "/" would be a guess that a public "/" makes dangerous.
  if (!original || original->target.empty()) return refused(Refusal::original_request_unknown);
  return by_match(*original, table);
}

Ruling rule_on_own(const http::Request& request, const rules::RuleTable& table) {
  return table.matches_requests() ? by_match({request.method_text, request.path}, table) : Ruling{};
}

}  // namespace latchkey::tokens_service

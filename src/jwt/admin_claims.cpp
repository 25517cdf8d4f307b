#include "jwt/admin_claims.hpp"

#include <algorithm>
#include <cmath>

#include "base/control_characters.hpp"

namespace latchkey::jwt {
namespace {

constexpr double leeway_seconds = 30;  // for nbf and iat: clocks differ; never for exp
constexpr std::size_t max_subject_bytes = 255;

// A NumericDate, which may have a fraction; nullopt if there is none or it is no time.
std::optional<double> seconds_member(const json::object& payload, std::string_view name) {
  const auto* value = payload.if_contains(name);
  if (!value || !value->is_number()) return std::nullopt;
  const double seconds = value->to_number<double>();
  if (!std::isfinite(seconds) || seconds < 0) return std::nullopt;
  return seconds;
}

bool has_begun(const json::object& payload, std::string_view name, double now) {
  if (!payload.contains(name)) return true;
  const auto begin = seconds_member(payload, name);
  return begin && *begin <= now + leeway_seconds;
}

bool is_in_time(const json::object& payload, UnixMillis time) {
  const double now = static_cast<double>(time.count) / 1000;
  const auto end = seconds_member(payload, "exp");
  return end && now < *end && has_begun(payload, "nbf", now) && has_begun(payload, "iat", now);
}

/// Of a payload that is in time.
UnixMillis expiry_of(const json::object& payload) {
  constexpr double end_of_9999 = 253'402'300'799;
  return {static_cast<std::int64_t>(std::min(*seconds_member(payload, "exp"), end_of_9999) * 1000)};
}

bool is_for(const json::object& payload, std::string_view audience) {
  const auto* value = payload.if_contains("aud");
  if (!value) return false;
  const json::value wanted(audience);
  const auto* list = value->if_array();
  return list ? std::find(list->begin(), list->end(), wanted) != list->end() : *value == wanted;
}

std::optional<AdminRole> parse_admin_role(std::optional<std::string_view> text) {
  if (text == "admin") return AdminRole::admin;
  if (text == "viewer") return AdminRole::viewer;
  return std::nullopt;
}

}  // namespace

bool is_admin_subject(std::string_view sub) {
  return !sub.empty() && sub.size() <= max_subject_bytes && !has_control_character(sub) && !sub.starts_with("key:");
}

Result<AdminIdentity, AdminFault> judge_admin_claims(const json::object& payload, const AdminTrust& trust,
                                                     UnixMillis now) {
  if (!is_in_time(payload, now)) return AdminFault::invalid;
  if (!trust.issuer.empty() && string_member(payload, "iss") != trust.issuer) return AdminFault::invalid;
  if (!trust.audience.empty() && !is_for(payload, trust.audience)) return AdminFault::invalid;
  const auto subject = string_member(payload, "sub");
  if (!subject || !is_admin_subject(*subject)) return AdminFault::invalid;
  const auto role = parse_admin_role(string_member(payload, "role"));
  if (!role) return AdminFault::no_role;
  return AdminIdentity{std::string(*subject), *role, expiry_of(payload)};
}

}  // namespace latchkey::jwt

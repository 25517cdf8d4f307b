#include "jwt/admin_claims.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "base/control_characters.hpp"
#include "base/shown.hpp"

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

using Refused = std::optional<AdminRefusal>;

AdminRefusal refused(AdminFault fault, std::string reason) { return {fault, std::move(reason)}; }

Refused judge_begin(const json::object& payload, std::string_view name, double now) {
  if (!payload.contains(name)) return std::nullopt;
  const auto begin = seconds_member(payload, name);
  if (!begin) return refused(AdminFault::bad_claims, fmt::format("its {} is no time", name));
  if (*begin <= now + leeway_seconds) return std::nullopt;
  return refused(AdminFault::not_yet_valid, fmt::format("its {} lies {:.0f} s ahead", name, *begin - now));
}

Refused judge_times(const json::object& payload, UnixMillis time) {
  const double now = static_cast<double>(time.count) / 1000;
  const auto end = seconds_member(payload, "exp");
  if (!end) return refused(AdminFault::bad_claims, "it has no exp, or one that is no time");
  if (now >= *end) return refused(AdminFault::expired, fmt::format("it expired {:.0f} s ago", now - *end));
  auto begin = judge_begin(payload, "nbf", now);
  return begin ? begin : judge_begin(payload, "iat", now);
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

/// The claim for the log: bounded, and JSON where it is no string.
std::string claim_text(const json::object& payload, std::string_view name) {
  const auto* value = payload.if_contains(name);
  if (!value) return "missing";
  const auto text = string_member(payload, name);
  return text ? shown(*text) : shown(json::serialize(*value), 200);
}

Refused judge_origin(const json::object& payload, const AdminTrust& trust) {
  if (!trust.issuer.empty() && string_member(payload, "iss") != trust.issuer) {
    return refused(AdminFault::wrong_issuer,
                   fmt::format("its iss is {}, not {}", claim_text(payload, "iss"), shown(trust.issuer)));
  }
  if (!trust.audience.empty() && !is_for(payload, trust.audience)) {
    return refused(AdminFault::wrong_audience,
                   fmt::format("its aud is {}, without {}", claim_text(payload, "aud"), shown(trust.audience)));
  }
  return std::nullopt;
}

// A service's own token (client credentials) has often no `sub`. One that is there is not passed over.
std::optional<std::string_view> subject_of(const json::object& payload) {
  if (payload.contains("sub")) return string_member(payload, "sub");
  for (const char* name : {"client_id", "azp", "iss"}) {
    if (const auto text = string_member(payload, name)) return text;
  }
  return std::nullopt;
}

}  // namespace

bool is_admin_subject(std::string_view sub) {
  return !sub.empty() && sub.size() <= max_subject_bytes && !has_control_character(sub) && !sub.starts_with("key:");
}

Result<AdminIdentity, AdminRefusal> judge_admin_claims(const json::object& payload, const AdminTrust& trust,
                                                       UnixMillis now) {
  if (auto wrong = judge_times(payload, now)) return std::move(*wrong);
  if (auto wrong = judge_origin(payload, trust)) return std::move(*wrong);
  const auto subject = subject_of(payload);
  if (!subject || !is_admin_subject(*subject)) {
    return refused(AdminFault::no_subject, "neither sub nor client_id, azp or iss names the admin");
  }
  const auto role = trust.role.role_in(payload);
  if (!role) return refused(AdminFault::no_role, fmt::format("its claim {} gives no role", shown(trust.role.path())));
  return AdminIdentity{std::string(*subject), *role, expiry_of(payload)};
}

}  // namespace latchkey::jwt

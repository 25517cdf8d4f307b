#include "keys_service/admin_gate.hpp"

#include <fmt/format.h>

#include "access/credentials.hpp"
#include "access/refusal_problem.hpp"
#include "base/log.hpp"
#include "http/problem.hpp"

namespace latchkey::keys_service {
namespace {

using access::Refusal;

// The refusals of the access check, in the words of the admin routes.
http::Response answer(Refusal refusal, std::string_view detail = {}) {
  http::Problem problem = access::to_problem(refusal);
  switch (refusal) {
    case Refusal::no_credentials:
      problem.title = "Admin token required";
      problem.detail = "Send an admin token as Authorization: Bearer.";
      break;
    case Refusal::wrong_kind:
      problem.title = "Not an admin token";
      problem.detail = "An access key may not do this; an admin token may.";
      break;
    case Refusal::wrong_role:
      problem.detail = "The role of this admin token may not do this.";
      break;
    case Refusal::ambiguous:
      problem.detail = "Send one admin token, in one Authorization header, and never in the query string.";
      break;
    default:
      problem.title = "Invalid admin token";
      problem.detail = "The admin token is not valid.";
  }
  if (!detail.empty()) problem.detail = detail;
  http::Response response = http::to_response(problem);
  response.header_lines = access::to_response(refusal).header_lines;
  return response;
}

Refusal refusal_of(jwt::AdminFault fault) {
  switch (fault) {
    case jwt::AdminFault::access_key:
      return Refusal::wrong_kind;
    case jwt::AdminFault::no_role:
      return Refusal::wrong_role;
    default:
      return Refusal::malformed;
  }
}

// What the answer tells. Only the holder of a token with a good signature learns more than that it is refused.
std::string_view detail_of(jwt::AdminFault fault) {
  switch (fault) {
    case jwt::AdminFault::bad_claims:
      return "The admin token's signature is good; its claims cannot be read, or have no exp.";
    case jwt::AdminFault::expired:
      return "The admin token has expired.";
    case jwt::AdminFault::not_yet_valid:
      return "The admin token is not valid yet: its nbf or iat lies ahead.";
    case jwt::AdminFault::wrong_issuer:
      return "The admin token is of another issuer than this service believes.";
    case jwt::AdminFault::wrong_audience:
      return "The admin token is for another audience than this service.";
    case jwt::AdminFault::no_subject:
      return "The admin token does not name its owner: it has no usable sub, client_id, azp or iss.";
    case jwt::AdminFault::no_role:
      return "The admin token gives no role here.";
    default:
      return {};
  }
}

}  // namespace

void AdminGate::log_refusal(std::string_view line) { log_line(LogLevel::warning, line); }

void AdminGate::say(const jwt::AdminRefusal& refusal) {
  const auto held_back = throttles_[static_cast<std::size_t>(refusal.fault)].pass(clock_.boot());
  if (!held_back) return;
  const auto more = *held_back == 0 ? "" : fmt::format(" ({} more of this kind before)", *held_back);
  log_(fmt::format("admin token refused, {}: {}{}", to_string(refusal.fault), refusal.reason, more));
}

http::Response AdminGate::refuse(const jwt::AdminRefusal& refusal) {
  say(refusal);
  return answer(refusal_of(refusal.fault), detail_of(refusal.fault));
}

Result<jwt::AdminIdentity, http::Response> AdminGate::admit(const http::Request& request, jwt::AdminRole needed) {
  const auto token = access::presented_token(request);
  if (!token) return answer(token.error());
  if (keys_ != nullptr && !keys_->usable()) {
    return http::to_response({"admin-keys-unavailable", "Admin keys unavailable", 503,
                              "The identity provider's keys could not be fetched, so no admin token can be judged."})
        .with_header("Retry-After", "5");
  }
  auto identity = verify(*token);
  if (!identity) return refuse(identity.error());
  if (!access::is_bearer(request)) {  // X-API-Key is for access keys
    return refuse({jwt::AdminFault::malformed, "it came as X-API-Key; it must come as Authorization: Bearer"});
  }
  if (identity->role < needed) {
    say({jwt::AdminFault::no_role, "a viewer may not change anything"});
    return answer(Refusal::wrong_role);
  }
  return std::move(*identity);
}

bool AdminGate::names_unknown_key(const http::Request& request) {
  const auto token = access::presented_token(request);
  if (!token) return false;
  const auto identity = verify(*token);
  return !identity && identity.error().fault == jwt::AdminFault::unknown_key;
}

Result<jwt::AdminIdentity, jwt::AdminRefusal> AdminGate::verify(std::string_view token) {
  const UnixMillis now = clock_.wall();
  const auto digest = jwt::digest_of(token);
  const auto generation = verifier_.generation();
  {
    const MutexLock lock(mutex_);
    const auto found = remembered_.find(digest);
    if (found != remembered_.end() && found->second.generation == generation &&
        now < found->second.identity.expires_at) {
      return found->second.identity;
    }
  }
  auto identity = verifier_.verify(token, now);
  if (identity) remember(digest, {*identity, generation});
  return identity;
}

void AdminGate::remember(const jwt::TokenDigest& digest, const Known& known) {
  const UnixMillis now = clock_.wall();
  const MutexLock lock(mutex_);
  if (remembered_.size() >= max_remembered) {
    std::erase_if(remembered_, [now](const auto& each) { return each.second.identity.expires_at <= now; });
    if (remembered_.size() >= max_remembered) remembered_.clear();
  }
  remembered_.insert_or_assign(digest, known);
}

}  // namespace latchkey::keys_service

#include "keys_service/admin_gate.hpp"

#include "access/credentials.hpp"
#include "access/refusal_problem.hpp"
#include "http/problem.hpp"

namespace latchkey::keys_service {
namespace {

using access::Refusal;

// The refusals of the access check, in the words of the admin routes.
http::Response refuse(Refusal refusal) {
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
    case jwt::AdminFault::invalid:
      break;
  }
  return Refusal::malformed;
}

}  // namespace

Result<jwt::AdminIdentity, http::Response> AdminGate::admit(const http::Request& request, jwt::AdminRole needed) {
  const auto token = access::presented_token(request);
  if (!token) return refuse(token.error());
  auto identity = verify(*token);
  if (!identity) return refuse(refusal_of(identity.error()));
  if (!access::is_bearer(request)) return refuse(Refusal::malformed);  // X-API-Key is for access keys
  if (identity->role < needed) return refuse(Refusal::wrong_role);
  return std::move(*identity);
}

Result<jwt::AdminIdentity, jwt::AdminFault> AdminGate::verify(std::string_view token) {
  const UnixMillis now = clock_.wall();
  const auto digest = jwt::digest_of(token);
  {
    const std::lock_guard lock(mutex_);
    const auto found = remembered_.find(digest);
    if (found != remembered_.end() && now < found->second.expires_at) return found->second;
  }
  auto identity = verifier_.verify(token, now);
  if (identity) remember(digest, *identity);
  return identity;
}

void AdminGate::remember(const jwt::TokenDigest& digest, const jwt::AdminIdentity& identity) {
  const UnixMillis now = clock_.wall();
  const std::lock_guard lock(mutex_);
  if (remembered_.size() >= max_remembered) {
    std::erase_if(remembered_, [now](const auto& known) { return known.second.expires_at <= now; });
    if (remembered_.size() >= max_remembered) remembered_.clear();
  }
  remembered_.insert_or_assign(digest, identity);
}

}  // namespace latchkey::keys_service

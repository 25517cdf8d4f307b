#include "keys_service/holder.hpp"

#include "access/credentials.hpp"
#include "access/refusal_problem.hpp"
#include "keys_service/error_response.hpp"

namespace latchkey::keys_service {

std::variant<HeldKey, http::Response> holder_of(RouteContext& context, const http::Request& request, UnixMillis now) {
  const auto token = access::presented_token(request);
  if (!token) return access::to_response(token.error());
  auto outcome = check_holder(context.parts.store, *token, now);
  if (const auto* refusal = std::get_if<access::Refusal>(&outcome)) return access::to_response(*refusal);
  if (const auto* error = std::get_if<Error>(&outcome)) return to_response(*error);
  return std::get<HeldKey>(std::move(outcome));
}

}  // namespace latchkey::keys_service

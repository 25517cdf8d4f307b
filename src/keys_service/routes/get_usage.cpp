#include "keys_service/answers.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/holder.hpp"
#include "keys_service/routes.hpp"
#include "keys_service/usage_query.hpp"

namespace latchkey::keys_service::routes {
namespace {

http::Response answer_of_usage(const RouteContext& context, const usage::Query& query, UnixMillis now) {
  if (context.parts.usage == nullptr) return to_response(Error(ErrorCode::unavailable, "usage is not kept here"));
  const auto answer = context.parts.usage->read(query, now);
  if (!answer) return to_response(answer.error());
  return private_json(200, to_json(*answer));
}

}  // namespace

void get_usage(RouteContext& context, const Call& call, Reply reply) {
  const UnixMillis now = context.parts.clock.wall();
  const auto query = parse_usage_query(call.request.query, UsageOf::anyone, now);
  if (!query) return reply.send(to_response(query.error()));
  reply.send(answer_of_usage(context, *query, now));
}

void get_plan_usage(RouteContext& context, const Call& call, Reply reply) {
  const UnixMillis now = context.parts.clock.wall();
  auto holder = holder_of(context, call.request, now);
  if (auto* refused = std::get_if<http::Response>(&holder)) return reply.send(std::move(*refused));
  auto query = parse_usage_query(call.request.query, UsageOf::one_key, now);
  if (!query) return reply.send(to_response(query.error()));
  query->key = std::get<HeldKey>(holder).key.id;
  reply.send(answer_of_usage(context, *query, now));
}

}  // namespace latchkey::keys_service::routes

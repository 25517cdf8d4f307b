#include "base/json.hpp"
#include "base/log.hpp"
#include "http/problem.hpp"
#include "keys_service/answers.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/routes.hpp"
#include "service/query_reader.hpp"

namespace latchkey::keys_service::routes {
namespace {

Result<replica::ReplicaId> replica_id_of(const http::Request& request) {
  const auto segment = http::decode_segment(request.params[0]);
  const auto id = segment ? replica::ReplicaId::parse(*segment) : std::nullopt;
  if (!id) return Error(ErrorCode::not_found, "no such replica");
  return *id;
}

std::string in_quotes(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

http::Response refusal_of(const Error& error) {
  if (error.code != ErrorCode::conflict) return to_response(error);
  return http::to_response({"replica-reports", "Replica still reports", 409, error.detail});
}

http::Response forget(RouteContext& context, const Call& call) {
  if (const auto head = context.parts.store.position(); !head) return to_response(head.error());
  const auto id = replica_id_of(call.request);
  if (!id) return to_response(id.error());
  service::QueryReader reader(call.request.query);
  if (const auto finished = reader.finish(); !finished) return to_response(finished.error());
  const auto last = context.replicas.forget(*id);
  if (!last) return refusal_of(last.error());
  log_warning("replicas: {} said that replica {}, named {}, has ended: it is waited for no more",
              in_quotes(call.admin.subject), id->to_string(), in_quotes(last->name));
  return {204, {}, {}, {}};
}

}  // namespace

void forget_replica(RouteContext& context, const Call& call, Reply reply) { reply.send(forget(context, call)); }

}  // namespace latchkey::keys_service::routes

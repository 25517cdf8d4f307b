#include <algorithm>

#include "access/explanation.hpp"
#include "access/refusal_problem.hpp"
#include "base/time_text.hpp"
#include "key/request_id.hpp"
#include "keys_service/answers.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/routes.hpp"

namespace latchkey::keys_service::routes {
namespace {

Error not_kept() {
  return Error(
      ErrorCode::not_found,
      "No refusal of this id is kept. It comes here within ten seconds, is kept for a day, and of more than 100 a "
      "second of one key most are left out; `latchkey explain ID --log FILE` reads a request log.");
}

int status_of(std::string_view reason) {
  for (std::size_t i = 0; i < access::refusal_count; ++i) {
    const auto refusal = static_cast<access::Refusal>(i);
    if (to_string(refusal) == reason) return access::to_problem(refusal).status;
  }
  return reason == "invalid-position" ? 400 : 503;
}

std::vector<std::string> names_in(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    names.emplace_back(list.substr(0, list.find(',')));
    list.remove_prefix(std::min(names.back().size() + 1, list.size()));
  }
  return names;
}

access::RefusedRecord record_of(const usage::Refusal& refusal) {
  access::RefusedRecord record;
  record.id = refusal.id.text();
  record.time = to_rfc3339(refusal.time);
  record.outcome = refusal.reason.text();
  record.status = status_of(record.outcome);
  if (refusal.key != KeyId()) record.key_id = refusal.key.to_string();
  record.client = refusal.network.text();
  record.position = refusal.position.text();
  record.rule = refusal.rule.text();
  record.limits = names_in(refusal.limit.text());
  return record;
}

}  // namespace

void get_request(RouteContext& context, const Call& call, Reply reply) {
  const std::string id(call.request.params[0]);
  if (!RequestId::parse(id)) return reply.send(to_response(not_kept()));
  if (context.parts.usage == nullptr) {
    return reply.send(to_response(Error(ErrorCode::unavailable, "refusals are not kept here")));
  }
  const auto refusal = context.parts.usage->find_refusal(id);
  if (!refusal) return reply.send(to_response(refusal.error()));
  if (!*refusal) return reply.send(to_response(not_kept()));
  access::RefusedRecord record = record_of(**refusal);
  // As the key is now: neither moves from one user to another.
  const auto key = context.parts.store.find_key((*refusal)->key);
  if (!key) return reply.send(to_response(key.error()));
  if (*key) record.user_id = (*key)->user_id;
  JsonWriter out;
  write_members(out.begin_object(), record);
  out.member("sampled", (*refusal)->sampled);
  reply.send(private_json(200, out.end_object().take()));
}

}  // namespace latchkey::keys_service::routes

#include "commands/plan.hpp"

#include "keys_service/named_rows.hpp"
#include "keys_service/routes.hpp"
#include "keys_service/terms_bodies.hpp"

namespace latchkey::keys_service::routes {
namespace {

using service::QueryReader;

/// ErrorCode::invalid for a name that none can have: a PUT of it must not be told "not found".
Result<std::string> plan_name_of(const http::Request& request) {
  const auto name = http::decode_segment(request.params[0]);
  if (!name || !is_plain_name(*name)) {
    return Error::invalid("/name", "must be 1 to 32 characters of a-z, 0-9 and -");
  }
  return *name;
}

CommittedAnswer plan_answer(commands::NamedAnswer<Plan> answer) {
  if (answer.action == "plan-delete") return {http::Response{204, {}, {}, {}}};
  http::Response head = private_head(answer.action == "plan-create" ? 201 : 200);
  head.with_header("ETag", etag_of_version(answer.row.version));
  return {std::move(head), [answer = std::move(answer)](JsonWriter& out) {
            write_members(out, answer.row, answer.commit.position.epoch);
          }};
}

http::Response one_plan(RouteContext& context, const http::Request& request, const std::string& name) {
  const auto plan = context.parts.store.find_plan(name);
  if (!plan) return to_response(plan.error());
  if (!*plan || (*plan)->deleted) return to_response(Error(ErrorCode::not_found, "no such plan"));
  const auto uses = context.parts.store.plan_uses(name);
  if (!uses) return to_response(uses.error());
  return shown_row(context, request, (*plan)->version, [&](JsonWriter& out, Epoch epoch) {
    write_members(out, **plan, epoch);
    out.member("keys", uses->keys);
  });
}

http::Response page_of_plans(RouteContext& context, const http::Request& request) {
  QueryReader query(request.query);
  const auto asked = name_page_of(query);
  if (!asked) return to_response(asked.error());
  const auto page = context.parts.store.list_plans(*asked);
  if (!page) return to_response(page.error());
  const auto position = context.parts.store.position();
  if (!position) return to_response(position.error());
  JsonWriter out;
  out.begin_object().name("plans").begin_array();
  for (const auto& plan : page->plans) {
    const auto uses = context.parts.store.plan_uses(plan.name);
    if (!uses) return to_response(uses.error());
    out.begin_object();
    write_members(out, plan, position->epoch);
    out.member("keys", uses->keys).end_object();
  }
  const auto cursor = page->more ? std::optional(cursor_after_name(page->plans.back().name)) : std::nullopt;
  return private_json(200, out.end_array().member("nextCursor", cursor).end_object().take());
}

/// ?dryRun=true; anything but true and false is noted.
bool is_dry_run(QueryReader& query) {
  const auto text = query.text("dryRun");
  if (text && *text != "true" && *text != "false") query.note("dryRun", "must be true or false");
  return text == "true";
}

commands::DryRunDone answer_dry_run(Reply reply) {
  return [reply = std::move(reply)](Result<store::PlanUses> uses) mutable {
    if (!uses) return reply.send(to_response(uses.error()));
    JsonWriter out;
    reply.send(private_json(200, out.begin_object().member("keys", uses->keys).end_object().take()));
  };
}

}  // namespace

void list_plans(RouteContext& context, const Call& call, Reply reply) {
  reply.send(page_of_plans(context, call.request));
}

void get_plan_named(RouteContext& context, const Call& call, Reply reply) {
  const auto name = plan_name_of(call.request);
  if (!name) return reply.send(to_response(Error(ErrorCode::not_found, "no such plan")));
  QueryReader query(call.request.query);
  if (const auto finished = query.finish(); !finished) return reply.send(to_response(finished.error()));
  reply.send(one_plan(context, call.request, *name));
}

void put_plan(RouteContext& context, const Call& call, Reply reply) {
  const auto name = plan_name_of(call.request);
  if (!name) return reply.send(to_response(name.error()));
  QueryReader query(call.request.query);
  const bool dry = is_dry_run(query);
  auto asked = asked_of(context, call, query);
  if (!asked) return reply.send(asked.error());
  auto command = parse_put_plan_body(call.request.body);
  if (!command) return reply.send(to_response(command.error()));
  auto condition = put_condition_of(call.request);
  if (dry) {
    return commands::dry_run_put_plan(context.parts.store, *name, std::move(*command), std::move(condition),
                                      asked->author, answer_dry_run(std::move(reply)));
  }
  commands::put_plan(context.parts.store, *name, std::move(*command), std::move(condition), asked->author,
                     asked->idempotency,
                     answer_named<Plan>(context, std::move(asked->wait), std::move(reply), plan_answer));
}

void patch_plan(RouteContext& context, const Call& call, Reply reply) {
  const auto name = plan_name_of(call.request);
  if (!name) return reply.send(to_response(Error(ErrorCode::not_found, "no such plan")));
  QueryReader query(call.request.query);
  auto asked = asked_of(context, call, query);
  if (!asked) return reply.send(asked.error());
  auto command = parse_patch_plan_body(call.request.body, asked->metadata);
  if (!command) return reply.send(to_response(command.error()));
  commands::patch_plan(context.parts.store, *name, std::move(*command), precondition_of(call.request), asked->author,
                       asked->idempotency,
                       answer_named<Plan>(context, std::move(asked->wait), std::move(reply), plan_answer));
}

void delete_plan(RouteContext& context, const Call& call, Reply reply) {
  const auto name = plan_name_of(call.request);
  if (!name) return reply.send(to_response(Error(ErrorCode::not_found, "no such plan")));
  QueryReader query(call.request.query);
  auto asked = asked_of(context, call, query);
  if (!asked) return reply.send(asked.error());
  commands::delete_plan(context.parts.store, *name, precondition_of(call.request), asked->author, asked->idempotency,
                        answer_named<Plan>(context, std::move(asked->wait), std::move(reply), plan_answer));
}

}  // namespace latchkey::keys_service::routes

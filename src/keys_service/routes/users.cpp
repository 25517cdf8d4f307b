#include "commands/user.hpp"

#include "jwt/base64url.hpp"
#include "keys_service/named_rows.hpp"
#include "keys_service/routes.hpp"
#include "keys_service/terms_bodies.hpp"

namespace latchkey::keys_service::routes {
namespace {

using service::QueryReader;

/// Of the path, or of ?userId= where an id does not go well into a path. One that nobody can have is not found, but a
/// PUT is told what is wrong with it.
Result<std::string> user_id_of(const http::Request& request, QueryReader& query, bool puts = false) {
  const bool in_path = !request.params[0].empty();
  const auto id = in_path ? http::decode_segment(request.params[0]) : query.text("userId");
  if (!id && !in_path) return Error::invalid("/userId", "is required, in the path or as ?userId=");
  const auto checked = id ? check_user_id(*id) : Error::invalid("/userId", "is not percent-encoded as a path is");
  if (checked) return *id;
  return puts ? checked.error() : Error(ErrorCode::not_found, "no such user");
}

CommittedAnswer user_answer(commands::NamedAnswer<User> answer) {
  if (answer.action == "user-delete") return {http::Response{204, {}, {}, {}}};
  http::Response head = private_head(answer.action == "user-create" ? 201 : 200);
  head.with_header("ETag", etag_of_version(answer.row.version));
  return {std::move(head), [answer = std::move(answer)](JsonWriter& out) {
            write_members(out, answer.row, answer.commit.position.epoch);
          }};
}

http::Response one_user(RouteContext& context, const http::Request& request, std::string_view user_id) {
  const auto user = context.parts.store.find_user(user_id);
  if (!user) return to_response(user.error());
  if (!*user || (*user)->deleted) return to_response(Error(ErrorCode::not_found, "no such user"));
  return shown_row(context, request, (*user)->version,
                   [&](JsonWriter& out, Epoch epoch) { write_members(out, **user, epoch); });
}

http::Response page_of_users(RouteContext& context, QueryReader& query) {
  const auto request = name_page_of(query);
  if (!request) return to_response(request.error());
  const auto page = context.parts.store.list_users(*request);
  if (!page) return to_response(page.error());
  const auto position = context.parts.store.position();
  if (!position) return to_response(position.error());
  JsonWriter out;
  out.begin_object().name("users").begin_array();
  for (const auto& user : page->users) {
    out.begin_object();
    write_members(out, user, position->epoch);
    out.end_object();
  }
  const auto cursor = page->more ? std::optional(cursor_after_name(page->users.back().user_id)) : std::nullopt;
  return private_json(200, out.end_array().member("nextCursor", cursor).end_object().take());
}

}  // namespace

void list_users(RouteContext& context, const Call& call, Reply reply) {
  QueryReader query(call.request.query);
  if (const auto user_id = query.text("userId")) {
    if (const auto finished = query.finish(); !finished) return reply.send(to_response(finished.error()));
    return reply.send(one_user(context, call.request, *user_id));
  }
  reply.send(page_of_users(context, query));
}

void get_user(RouteContext& context, const Call& call, Reply reply) {
  QueryReader query(call.request.query);
  const auto user_id = user_id_of(call.request, query);
  if (!user_id) return reply.send(to_response(user_id.error()));
  if (const auto finished = query.finish(); !finished) return reply.send(to_response(finished.error()));
  reply.send(one_user(context, call.request, *user_id));
}

void put_user(RouteContext& context, const Call& call, Reply reply) {
  QueryReader query(call.request.query);
  const auto user_id = user_id_of(call.request, query, true);
  if (!user_id) return reply.send(to_response(user_id.error()));
  auto asked = asked_of(context, call, query);
  if (!asked) return reply.send(asked.error());
  auto command = parse_put_user_body(call.request.body);
  if (!command) return reply.send(to_response(command.error()));
  commands::put_user(context.parts.store, *user_id, std::move(*command), put_condition_of(call.request), asked->author,
                     asked->idempotency,
                     answer_named<User>(context, std::move(asked->wait), std::move(reply), user_answer));
}

void patch_user(RouteContext& context, const Call& call, Reply reply) {
  QueryReader query(call.request.query);
  const auto user_id = user_id_of(call.request, query);
  if (!user_id) return reply.send(to_response(user_id.error()));
  auto asked = asked_of(context, call, query);
  if (!asked) return reply.send(asked.error());
  auto command = parse_patch_user_body(call.request.body, asked->metadata);
  if (!command) return reply.send(to_response(command.error()));
  commands::patch_user(context.parts.store, *user_id, std::move(*command), precondition_of(call.request), asked->author,
                       asked->idempotency,
                       answer_named<User>(context, std::move(asked->wait), std::move(reply), user_answer));
}

void delete_user(RouteContext& context, const Call& call, Reply reply) {
  QueryReader query(call.request.query);
  const auto user_id = user_id_of(call.request, query);
  if (!user_id) return reply.send(to_response(user_id.error()));
  auto asked = asked_of(context, call, query);
  if (!asked) return reply.send(asked.error());
  commands::delete_user(context.parts.store, *user_id, precondition_of(call.request), asked->author, asked->idempotency,
                        answer_named<User>(context, std::move(asked->wait), std::move(reply), user_answer));
}

}  // namespace latchkey::keys_service::routes

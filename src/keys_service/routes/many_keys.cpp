#include "commands/many_keys.hpp"

#include <fmt/format.h>

#include <utility>

#include "http/problem.hpp"
#include "keys_service/answers.hpp"
#include "keys_service/enforcement.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/object_reader.hpp"
#include "keys_service/routes.hpp"
#include "service/media_type.hpp"

namespace latchkey::keys_service::routes {
namespace {

constexpr std::size_t most_sampled = 10;

/// What a request asks for; members stand in the body or in the query.
struct AskedOfMany {
  commands::KeySet set;
  bool dry_run = false;
  std::optional<std::string> confirm;
};

class ManyReader {
 public:
  ManyReader(ObjectReader& body, service::QueryReader& query) : body_(body), query_(query) {}

  std::optional<std::string> text(std::string_view name) {
    auto in_query = query_.text(name);
    auto in_body = body_.text(name);
    if (in_query && body_.has(name)) query_.note(name, "must not come in the body, too");
    return in_body ? in_body : in_query;
  }

  bool is_dry_run() {
    const auto text = query_.text("dryRun");
    if (text && *text != "true" && *text != "false") query_.note("dryRun", "must be true or false");
    return body_.boolean("dryRun").value_or(false) || text == "true";
  }

  AskedOfMany read(store::KeyAction action) {
    AskedOfMany asked;
    asked.dry_run = is_dry_run();
    asked.confirm = text("confirm");
    asked.set.user_id = text("userId");
    const auto selector = text("selector");
    if (asked.set.user_id.has_value() == selector.has_value()) {
      body_.note("selector", "or userId is required, and not both");
    }
    if (asked.set.user_id) body_.note(check_user_id(*asked.set.user_id));
    if (selector) {
      auto parsed = parse_selector(*selector);
      if (!parsed) body_.note("selector", parsed.error().detail);
      if (parsed) asked.set.selector = std::move(*parsed);
    }
    if (action == store::KeyAction::remove && !asked.dry_run && !asked.confirm) {
      body_.note("confirm", "is required: dryRun=true gives it");
    }
    return asked;
  }

 private:
  ObjectReader& body_;
  service::QueryReader& query_;
};

/// The first keys of the set as they are shown before anything is done.
Result<std::string> preview_of(store::KeyStore& store, const std::vector<KeyId>& keys) {
  JsonWriter out;
  out.begin_object().member("matched", keys.size()).name("sample").begin_array();
  for (const KeyId& id : std::span(keys).first(std::min(keys.size(), most_sampled))) {
    const auto key = store.find_key(id);
    if (!key) return key.error();
    if (!*key) continue;
    out.begin_object().member("keyId", id.to_string()).member("userId", (*key)->user_id).member("name", (*key)->name);
    out.end_object();
  }
  return out.end_array().member("confirm", commands::confirmation_of(keys)).end_object().take();
}

Error stopped(const Error& why, const commands::ManyKeysAnswer& answer) {
  Error error = why;
  error.detail += fmt::format(
      "; stopped after {} of {} keys were changed{}: what was done stays done, and the same request goes on",
      answer.changed, answer.matched,
      answer.commit.position.seq == Seq{} ? "" : ", at position " + answer.commit.position.to_string());
  return error;
}

CommittedAnswer answer_of(const commands::ManyKeysAnswer& answer) {
  return {private_head(200), [answer](JsonWriter& out) {
            out.member("matched", answer.matched).member("changed", answer.changed);
            out.member("position", answer.commit.position.to_string());
          }};
}

void change_many(store::KeyAction action, RouteContext& context, const Call& call, Reply reply) {
  if (!is_json(service::media_type_of(call.request), call.request.body)) return reply.send(unsupported_media_type());
  auto body = ObjectReader::parse(call.request.body.empty() ? "{}" : call.request.body);
  if (!body) return reply.send(to_response(body.error()));
  service::QueryReader query(call.request.query);
  const AskedOfMany asked = ManyReader(*body, query).read(action);
  if (const auto finished = body->finish(); !finished) return reply.send(to_response(finished.error()));
  auto wait = wait_of(context, call, query);
  if (!wait) return reply.send(wait.error());
  const auto author = author_of(context, call);
  auto keys = commands::keys_of(context.parts.store, asked.set, author.now);
  if (!keys) return reply.send(to_response(keys.error()));
  if (asked.dry_run) {
    auto preview = preview_of(context.parts.store, *keys);
    return reply.send(preview ? private_json(200, std::move(*preview)) : to_response(preview.error()));
  }
  if (asked.confirm && *asked.confirm != commands::confirmation_of(*keys)) {
    return reply.send(
        http::to_response({"confirmation-outdated", "Confirmation outdated", 409,
                           "other keys match than when this confirmation was given: look again with dryRun=true"}));
  }
  auto done = [&context, wait = std::move(*wait), reply = std::move(reply)](
                  Result<void> outcome, const commands::ManyKeysAnswer& answer) mutable {
    if (!outcome) return reply.send(to_response(stopped(outcome.error(), answer)));
    answer_committed(context, std::move(wait), std::move(reply), answer.commit, answer_of(answer));
  };
  commands::change_many(context.parts.store, action, asked.set, std::move(*keys), author, std::move(done));
}

}  // namespace

void disable_keys(RouteContext& context, const Call& call, Reply reply) {
  change_many(store::KeyAction::disable, context, call, std::move(reply));
}

void enable_keys(RouteContext& context, const Call& call, Reply reply) {
  change_many(store::KeyAction::enable, context, call, std::move(reply));
}

void delete_keys(RouteContext& context, const Call& call, Reply reply) {
  change_many(store::KeyAction::remove, context, call, std::move(reply));
}

}  // namespace latchkey::keys_service::routes

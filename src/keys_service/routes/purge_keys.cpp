#include "commands/purge_keys.hpp"

#include <fmt/format.h>

#include "base/time_text.hpp"
#include "keys_service/answers.hpp"
#include "keys_service/enforcement.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/object_reader.hpp"
#include "keys_service/routes.hpp"
#include "service/media_type.hpp"

namespace latchkey::keys_service::routes {
namespace {

struct AskedPurge {
  UnixMillis deleted_before;
  bool dry_run = false;
};

/// A time, or how long ago it was.
std::optional<UnixMillis> moment_of(std::string_view text, UnixMillis now) {
  if (const auto age = parse_duration(text)) return UnixMillis{now.count - std::chrono::milliseconds(*age).count()};
  return parse_rfc3339(text);
}

/// {deletedBefore, dryRun?}
Result<AskedPurge> parse_purge_body(std::string_view body, UnixMillis now) {
  auto reader = ObjectReader::parse(body);
  if (!reader) return reader.error();
  AskedPurge asked;
  asked.dry_run = reader->boolean("dryRun").value_or(false);
  const auto text = reader->text("deletedBefore");
  const auto moment = text ? moment_of(*text, now) : std::nullopt;
  const std::chrono::milliseconds least = commands::shortest_purge_age;
  if (!reader->has("deletedBefore")) {
    reader->note("deletedBefore", "is required");
  } else if (text && !moment) {
    reader->note("deletedBefore", "must be a duration such as 90d, or an RFC 3339 time");
  } else if (moment && moment->count > now.count - least.count()) {
    reader->note("deletedBefore", "must be at least 24h ago");
  }
  if (const auto finished = reader->finish(); !finished) return finished.error();
  asked.deleted_before = *moment;
  return asked;
}

CommittedAnswer purge_answer(const commands::PurgeAnswer& answer) {
  return {private_head(200), [answer](JsonWriter& out) {
            out.member("purged", answer.purged).member("position", answer.commit.position.to_string());
          }};
}

Error stopped_purge(const Error& why, const commands::PurgeAnswer& answer) {
  Error error = why;
  error.detail += fmt::format("; stopped after {} keys were purged: the same request goes on", answer.purged);
  return error;
}

}  // namespace

void purge_keys(RouteContext& context, const Call& call, Reply reply) {
  if (!is_json(service::media_type_of(call.request), call.request.body)) return reply.send(unsupported_media_type());
  const auto author = author_of(context, call);
  const auto asked = parse_purge_body(call.request.body, author.now);
  if (!asked) return reply.send(to_response(asked.error()));
  auto wait = wait_of(context, call);
  if (!wait) return reply.send(wait.error());
  if (asked->dry_run) {
    return commands::count_purgeable(
        context.parts.store, asked->deleted_before, [reply = std::move(reply)](Result<std::uint64_t> count) mutable {
          if (!count) return reply.send(to_response(count.error()));
          JsonWriter out;
          reply.send(private_json(200, out.begin_object().member("matched", *count).end_object().take()));
        });
  }
  commands::purge_keys(context.parts.store, asked->deleted_before, author,
                       [&context, wait = std::move(*wait), reply = std::move(reply)](
                           Result<void> outcome, const commands::PurgeAnswer& answer) mutable {
                         if (!outcome) return reply.send(to_response(stopped_purge(outcome.error(), answer)));
                         answer_committed(context, std::move(wait), std::move(reply), answer.commit,
                                          purge_answer(answer));
                       });
}

}  // namespace latchkey::keys_service::routes

#include "commands/erase_user.hpp"

#include <array>

#include "keys_service/answers.hpp"
#include "keys_service/bodies.hpp"
#include "keys_service/enforcement.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/request_parts.hpp"
#include "keys_service/routes.hpp"
#include "service/media_type.hpp"

namespace latchkey::keys_service::routes {
namespace {

/// How long it waits for replicas, unless the request says: one that is silent is fenced well within that.
constexpr Duration patience = std::chrono::minutes(2);

constexpr std::array still_held_by{
    "request logs: lines of requests that were made before name the user until they are rotated away",
    "replicas' own files and the Redis stream, until each is written anew",
    "backups, and what a database keeps of its past: PostgreSQL's dead rows until VACUUM, its write-ahead log, "
    "standbys",
    "usage of the past: its rows name user and network until they are removed by their age",
    "labels of keys in the audit trail, and `updatedBy` of rows that this user changed as an admin",
    "access keys that were given out: their tokens name the user, and are refused",
};

/// What both commits share.
struct Erasing {
  RouteContext& context;
  store::Erasure erasure;
  store::ErasedRows rows;
  std::optional<EnforcementWait> wait;
  Reply reply;
};

void write_erasure(JsonWriter& out, const store::Erasure& erasure, const store::ErasedRows& rows) {
  out.member("pseudonym", erasure.pseudonym).member("keys", rows.keys);
}

CommittedAnswer erased_answer(const store::Erasure& erasure, const store::ErasedRows& rows,
                              const commands::HistoryErased& history) {
  return {private_head(200), [erasure, rows, history](JsonWriter& out) {
            write_erasure(out, erasure, rows);
            out.member("changes", history.changes).member("position", history.commit.position.to_string());
            out.name("stillHeldBy").begin_array();
            for (const std::string_view holder : still_held_by) out.value(holder);
            out.end_array();
          }};
}

void finish(Erasing erasing) {
  auto& store = erasing.context.parts.store;
  const store::Erasure erasure = erasing.erasure;
  const store::ErasedRows rows = erasing.rows;
  commands::erase_history(store, erasure, rows,
                          [erasing = std::move(erasing)](Result<commands::HistoryErased> history) mutable {
                            if (!history) return erasing.reply.send(to_response(history.error()));
                            answer_committed(erasing.context, std::move(erasing.wait), std::move(erasing.reply),
                                             history->commit, erased_answer(erasing.erasure, erasing.rows, *history));
                          });
}

/// Replicas that are behind have to read the change that names the user first.
void finish_once_enforced(Erasing erasing, replica::Confirmations::Place place, LogEnd commit) {
  auto& context = erasing.context;
  const Duration bound = erasing.wait ? erasing.wait->bound : patience;
  context.broadcaster.nudge();
  auto done = [erasing = std::move(erasing), commit](const replica::Confirmation& confirmation) mutable {
    if (confirmation.enforcement == replica::Enforcement::confirmed) return finish(std::move(erasing));
    CommittedAnswer answer{private_head(202), [erasure = erasing.erasure, rows = erasing.rows](JsonWriter& out) {
                             write_erasure(out, erasure, rows);
                             out.member("detail",
                                        "The keys are deleted. The rest waits for replicas that are behind: repeat the "
                                        "request once they are not.");
                           }};
    answer.head.with_header("Latchkey-Position", commit.position.to_string());
    erasing.reply.send(with_enforcement(std::move(answer), &confirmation));
  };
  context.confirmations.confirm(std::move(place), commit, bound, std::move(done));
}

}  // namespace

void erase_user(RouteContext& context, const Call& call, Reply reply) {
  const auto user_id = http::decode_segment(call.request.params[0]);
  if (!user_id || !check_user_id(*user_id)) return reply.send(to_response(Error(ErrorCode::not_found, "no such user")));
  if (!is_json(service::media_type_of(call.request), call.request.body)) return reply.send(unsupported_media_type());
  if (auto nothing = parse_empty_body(call.request.body); !nothing) return reply.send(to_response(nothing.error()));
  auto wait = wait_of(context, call);
  if (!wait) return reply.send(wait.error());
  auto place = context.confirmations.reserve(replica::Confirmations::Waiter::admin);
  if (!place) return reply.send(overloaded());
  const auto erasure = commands::erasure_of(*user_id, context.parts.random, author_of(context, call));
  Erasing erasing{context, erasure, {}, std::move(*wait), std::move(reply)};
  commands::erase_rows(
      context.parts.store, erasure,
      [erasing = std::move(erasing), place = std::move(*place)](Result<commands::RowsErased> erased) mutable {
        if (!erased) return erasing.reply.send(to_response(erased.error()));
        erasing.rows = erased->rows;
        if (!erased->rows.had_row) return finish(std::move(erasing));
        finish_once_enforced(std::move(erasing), std::move(place), erased->commit);
      });
}

}  // namespace latchkey::keys_service::routes

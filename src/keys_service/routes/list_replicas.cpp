#include <algorithm>

#include "keys_service/answers.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/routes.hpp"
#include "service/query_reader.hpp"

namespace latchkey::keys_service::routes {
namespace {

using replica::ObservedReplica;
using replica::Phase;

constexpr std::chrono::seconds soon{1};  // ten reports

/// Silence here proves nothing of one that follows another life of the store (replica/replica_registry.hpp).
std::string_view state_of(const ObservedReplica& sight, Position head, BootTime now) {
  if (sight.newest.phase == Phase::stopped) return "stopped";
  const auto& applied = sight.newest.applied;
  const bool elsewhere = sight.may_report_elsewhere && applied && applied->epoch != head.epoch;
  if (replica::is_fenced_by_silence(sight, now)) return elsewhere ? "other-epoch" : "fenced";
  if (sight.vanished || now - sight.silent_from > soon) return "silent";
  return sight.newest.applied ? "serving" : "loading";
}

std::optional<std::uint64_t> lag_changes(const ObservedReplica& sight, Position head) {
  const auto& applied = sight.newest.applied;
  if (!applied || applied->epoch != head.epoch) return std::nullopt;
  return head.seq - std::min(head.seq, applied->seq);
}

/// Nothing says how old the view is of one that has not reported since we began to watch.
std::optional<std::int64_t> lag_millis(const ObservedReplica& sight, BootTime now) {
  if (!sight.newest.applied || !sight.heard || sight.newest.phase == Phase::stopped) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(lag_of(sight, now)).count();
}

void write(JsonWriter& out, const ObservedReplica& sight, Position head, BootTime now) {
  const auto& report = sight.newest;
  out.begin_object()
      .member("replicaId", report.id.to_string())
      .member("name", report.name)
      .member("state", state_of(sight, head, now))
      .member("position", report.applied ? std::optional(report.applied->to_string()) : std::nullopt)
      .member("lagChanges", lag_changes(sight, head))
      .member("lagMillis", lag_millis(sight, now))
      .member("maxStalenessSeconds", report.max_staleness / std::chrono::seconds(1))
      .member("startedAt", report.started_at)
      .member("lastSeen", report.reported_at)
      .member("understands", report.understands)
      .member("outdated", report.understands < newest_change_kind)
      .end_object();
}

http::Response all_replicas(RouteContext& context, const http::Request& request) {
  service::QueryReader reader(request.query);
  if (const auto finished = reader.finish(); !finished) return to_response(finished.error());
  const auto look = context.replicas.look();
  if (!look) return to_response(look.error());
  const auto head = context.parts.store.position();  // after the look: nobody is ahead of it
  if (!head) return to_response(head.error());
  JsonWriter out;
  out.begin_object().name("replicas").begin_array();
  for (const auto& sight : look->replicas) write(out, sight, *head, look->began);
  out.end_array().member("position", head->to_string()).end_object();
  return private_json(200, out.take());
}

}  // namespace

void list_replicas(RouteContext& context, const Call& call, Reply reply) {
  reply.send(all_replicas(context, call.request));
}

}  // namespace latchkey::keys_service::routes

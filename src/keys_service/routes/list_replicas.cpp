#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "base/time_text.hpp"
#include "keys_service/answers.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/request_parts.hpp"

namespace latchkey::keys_service::routes {
namespace {

using replica::ObservedReplica;
using replica::Phase;

constexpr std::chrono::seconds soon{1};  // ten reports

std::string_view state_of(const ObservedReplica& sight, BootTime now) {
  if (sight.newest.phase == Phase::stopped) return "stopped";
  if (replica::is_fenced_by_silence(sight, now)) return "fenced";
  if (sight.vanished || now - sight.silent_from > soon) return "silent";
  return sight.newest.applied ? "serving" : "loading";
}

std::string lag_changes(const ObservedReplica& sight, Position head) {
  const auto& applied = sight.newest.applied;
  if (!applied || applied->epoch != head.epoch) return "null";
  return std::to_string(head.seq - std::min(head.seq, applied->seq));
}

/// Nothing says how old the view is of one that has not reported since we began to watch.
std::string lag_millis(const ObservedReplica& sight, BootTime now) {
  if (!sight.newest.applied || !sight.heard || sight.newest.phase == Phase::stopped) return "null";
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(lag_of(sight, now)).count());
}

std::string json_of(const ObservedReplica& sight, Position head, BootTime now) {
  const auto& report = sight.newest;
  std::string name;
  append_json_string(name, report.name);
  return fmt::format(R"({{"replicaId":"{}","name":{},"state":"{}","position":{},"lagChanges":{},"lagMillis":{},)"
                     R"("maxStalenessSeconds":{},"startedAt":"{}","lastSeen":"{}"}})",
                     report.id.to_string(), name, state_of(sight, now),
                     report.applied ? '"' + report.applied->to_string() + '"' : "null", lag_changes(sight, head),
                     lag_millis(sight, now), report.max_staleness / std::chrono::seconds(1),
                     to_rfc3339(report.started_at), to_rfc3339(report.reported_at));
}

http::Response all_replicas(RouteContext& context, const http::Request& request) {
  QueryReader reader(request.query);
  if (const auto finished = reader.finish(); !finished) return to_response(finished.error());
  const auto look = context.replicas.look();
  if (!look) return to_response(look.error());
  const auto head = context.parts.store.position();  // after the look: nobody is ahead of it
  if (!head) return to_response(head.error());
  std::string out = "{\"replicas\":[";
  for (const auto& sight : look->replicas) {
    if (out.back() != '[') out += ',';
    out += json_of(sight, *head, look->began);
  }
  return private_json(200, out + "],\"position\":\"" + head->to_string() + "\"}");
}

}  // namespace

void list_replicas(RouteContext& context, const Call& call, Reply reply) {
  reply.send(all_replicas(context, call.request));
}

}  // namespace latchkey::keys_service::routes

#include "keys_service/enforcement.hpp"

#include <fmt/format.h>

#include "base/time_text.hpp"
#include "keys_service/error_response.hpp"
#include "service/query_reader.hpp"

namespace latchkey::keys_service {
namespace {

using replica::Confirmation;
using replica::Confirmations;
using replica::Enforcement;
using replica::Verdict;

constexpr std::chrono::seconds usual_bound{10};
constexpr std::chrono::seconds longest_bound{300};

std::string header_of(const Confirmation& confirmation) {
  std::string text(to_string(confirmation.enforcement));
  for (const auto verdict : {Verdict::applied, Verdict::fenced, Verdict::stopped, Verdict::waiting,
                             Verdict::other_epoch, Verdict::outdated}) {
    text += fmt::format(";{}={}", to_string(verdict), confirmation.count(verdict));
  }
  return text;
}

void write(JsonWriter& out, const Confirmation& confirmation) {
  out.begin_object()
      .member("state", to_string(confirmation.enforcement))
      .member("waitedMillis", std::chrono::duration_cast<std::chrono::milliseconds>(confirmation.waited).count())
      .name("replicas")
      .begin_array();
  for (const auto& replica : confirmation.replicas) {
    out.begin_object()
        .member("replicaId", replica.id.to_string())
        .member("name", replica.name)
        .member("outcome", to_string(replica.verdict))
        .end_object();
  }
  out.end_array().end_object();
}

}  // namespace

Result<std::optional<EnforcementWait>, http::Response> wait_of(RouteContext& context, const Call& call) {
  service::QueryReader reader(call.request.query);
  return wait_of(context, call, reader);
}

Result<std::optional<EnforcementWait>, http::Response> wait_of(RouteContext& context, const Call& call,
                                                               service::QueryReader& reader) {
  const auto wait = reader.text("wait");
  const auto timeout = reader.text("timeout");
  const auto bound = timeout ? parse_duration(*timeout) : usual_bound;
  if (wait && *wait != "enforced") reader.note("wait", "must be enforced");
  if (timeout && !wait) reader.note("timeout", "goes with wait=enforced");
  if (!bound || *bound > longest_bound) reader.note("timeout", "must be a duration from 1s to 5m");
  if (const auto finished = reader.finish(); !finished) return to_response(finished.error());
  if (!wait) return std::optional<EnforcementWait>();
  const bool holder = call.admin.subject.empty();
  auto place = context.confirmations.reserve(holder ? Confirmations::Waiter::holder : Confirmations::Waiter::admin);
  if (!place) return overloaded();
  return std::optional(EnforcementWait{std::move(*place), *bound});
}

http::Response with_enforcement(CommittedAnswer answer, const Confirmation* confirmation) {
  http::Response response = std::move(answer.head);
  const bool pending = confirmation != nullptr && confirmation->enforcement != Enforcement::confirmed;
  if (confirmation != nullptr) response.with_header("Latchkey-Enforcement", header_of(*confirmation));
  if (pending) response.status = 202;
  if (!answer.members && !pending) return response;
  JsonWriter out;
  out.begin_object();
  if (answer.members) answer.members(out);
  if (confirmation != nullptr) write(out.name("enforcement"), *confirmation);
  response.content_type = "application/json";
  response.body = out.end_object().take();
  return response;
}

void answer_committed(RouteContext& context, std::optional<EnforcementWait> wait, Reply reply, LogEnd commit,
                      CommittedAnswer answer) {
  context.broadcaster.nudge();
  answer.head.with_header("Latchkey-Position", commit.position.to_string());
  const bool good = answer.head.status < 300;
  if (!wait || !good) return reply.send(with_enforcement(std::move(answer), nullptr));
  auto done = [reply = std::move(reply), answer = std::move(answer)](const Confirmation& confirmation) mutable {
    reply.send(with_enforcement(std::move(answer), &confirmation));
  };
  context.confirmations.confirm(std::move(wait->place), commit, wait->bound, std::move(done));
}

}  // namespace latchkey::keys_service

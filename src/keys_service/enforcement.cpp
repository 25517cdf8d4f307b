#include "keys_service/enforcement.hpp"

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/time_text.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/request_parts.hpp"

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
  for (const auto verdict :
       {Verdict::applied, Verdict::fenced, Verdict::stopped, Verdict::waiting, Verdict::other_epoch}) {
    text += fmt::format(";{}={}", to_string(verdict), confirmation.count(verdict));
  }
  return text;
}

std::string json_of(const Confirmation& confirmation) {
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(confirmation.waited).count();
  std::string out =
      fmt::format(R"({{"state":"{}","waitedMillis":{},"replicas":[)", to_string(confirmation.enforcement), waited);
  for (const auto& replica : confirmation.replicas) {
    if (out.back() != '[') out += ',';
    out += fmt::format(R"({{"replicaId":"{}","name":)", replica.id.to_string());
    append_json_string(out, replica.name);
    out += fmt::format(R"(,"outcome":"{}"}})", to_string(replica.verdict));
  }
  return out + "]}";
}

}  // namespace

Result<std::optional<EnforcementWait>, http::Response> wait_of(RouteContext& context, const Call& call) {
  QueryReader reader(call.request.query);
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

http::Response with_enforcement(http::Response response, const Confirmation& confirmation) {
  response.with_header("Latchkey-Enforcement", header_of(confirmation));
  const bool confirmed = confirmation.enforcement == Enforcement::confirmed;
  if (!confirmed) response.status = 202;
  if (response.body.empty() && confirmed) return response;
  if (response.body.empty()) {
    response.content_type = "application/json";
    response.body = "{}";
  }
  response.body.pop_back();
  response.body += response.body.size() > 1 ? "," : "";
  response.body += "\"enforcement\":" + json_of(confirmation) + '}';
  return response;
}

void answer_committed(RouteContext& context, std::optional<EnforcementWait> wait, Reply reply, LogEnd commit,
                      http::Response response) {
  context.broadcaster.nudge();
  response.with_header("Latchkey-Position", commit.position.to_string());
  const bool good = response.status < 300;
  if (!wait || !good) return reply.send(std::move(response));
  auto done = [reply = std::move(reply), response = std::move(response)](const Confirmation& confirmation) mutable {
    reply.send(with_enforcement(std::move(response), confirmation));
  };
  context.confirmations.confirm(std::move(wait->place), commit, wait->bound, std::move(done));
}

}  // namespace latchkey::keys_service

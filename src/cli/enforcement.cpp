#include "cli/enforcement.hpp"

#include <fmt/format.h>

#include <array>

#include "base/time_text.hpp"
#include "cli/render.hpp"
#include "cli/terminal_text.hpp"

namespace latchkey::cli {
namespace {

std::string is_duration(const std::string& text) {
  return parse_duration(text) ? "" : fmt::format("\"{}\" is not a duration such as 30s or 5m", text);
}

const json::array* replicas_in(const json::value& body) {
  const auto* object = body.if_object();
  const auto* enforcement = object == nullptr ? nullptr : object->if_contains("enforcement");
  if (enforcement == nullptr || !enforcement->is_object()) return nullptr;
  const auto* replicas = enforcement->as_object().if_contains("replicas");
  return replicas == nullptr ? nullptr : replicas->if_array();
}

constexpr std::array columns{Column{"REPLICA", "replicaId"}, Column{"NAME", "name"}, Column{"OUTCOME", "outcome"}};

}  // namespace

void add_wait_flags(CLI::App& app, Invocation& invocation) {
  auto* wait = app.add_flag("--wait", invocation.wait, "End once the change is enforced at every replica");
  app.add_option("--wait-timeout", invocation.wait_timeout,
                 "For so long at most (60s); not confirmed by then is exit 1")
      ->needs(wait)
      ->check(CLI::Validator(is_duration, "DURATION"))
      ->type_name("DURATION");
}

ApiCall waiting(const Invocation& invocation, ApiCall call) {
  if (!invocation.wait) return call;
  call.path += "?wait=enforced&timeout=" + url_escape(invocation.wait_timeout);
  call.timeout += parse_duration(invocation.wait_timeout).value_or(std::chrono::seconds(0));
  return call;
}

int tell_enforcement(const HttpReply& reply, const json::value& body) {
  const auto found = reply.headers.find("latchkey-enforcement");
  if (found == reply.headers.end()) return exit_done;
  const bool confirmed = found->second.starts_with("confirmed");
  fmt::print(stderr, "{}\n", confirmed ? "Enforced at every replica." : "Done, but not confirmed as enforced in time.");
  const auto* replicas = replicas_in(body);
  if (replicas != nullptr && !replicas->empty()) {
    fmt::print(stderr, "{}", render_table(*replicas, columns));
  } else {
    fmt::print(stderr, "{}\n", harmless(found->second));  // an answer without a body counts them only
  }
  return confirmed ? exit_done : exit_failed;
}

}  // namespace latchkey::cli

#include "cli/enforcement.hpp"

#include <fmt/format.h>

#include <array>

#include "base/time_text.hpp"
#include "cli/render.hpp"
#include "cli/terminal_text.hpp"

namespace latchkey::cli {
namespace {

constexpr std::chrono::minutes longest_wait{5};  // of the service

std::string is_duration(const std::string& text) {
  const auto duration = parse_duration(text);
  return duration && *duration <= longest_wait ? "" : not_a_duration(text, longest_wait);
}

const json::array* replicas_in(const json::value& body) {
  const auto* object = body.if_object();
  const auto* enforcement = object == nullptr ? nullptr : object->if_contains("enforcement");
  if (enforcement == nullptr || !enforcement->is_object()) return nullptr;
  const auto* replicas = enforcement->as_object().if_contains("replicas");
  return replicas == nullptr ? nullptr : replicas->if_array();
}

/// "pending;applied=2;waiting=1" as "2 applied, 1 waiting".
std::string counts_in(std::string_view header) {
  std::string sentence;
  while (header.find(';') != std::string_view::npos) {
    header.remove_prefix(header.find(';') + 1);
    const auto part = header.substr(0, header.find(';'));
    const auto equals = part.find('=');
    const auto count = equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    if (count.empty() || count == "0") continue;
    sentence += fmt::format("{}{} {}", sentence.empty() ? "" : ", ", escape_for_terminal(count),
                            escape_for_terminal(part.substr(0, equals)));
  }
  return sentence;
}

/// What an answer says that names no replica: it has no body, or there is none.
std::string sentence_of(std::string_view header, bool confirmed) {
  const auto counts = counts_in(header);
  if (!counts.empty()) return "Replicas: " + counts + '.';
  return confirmed ? "No replica serves at present; one that starts reads the change first."
                   : "Which replicas serve is not known at present: `latchkey replicas` shows them.";
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
  app.add_option("--reason", invocation.reason, "Why, for the audit trail")->type_name("TEXT");
}

ApiCall waiting(const Invocation& invocation, ApiCall call) {
  if (!invocation.reason.empty()) {
    if (!call.body) call.body.emplace();
    (*call.body)["reason"] = invocation.reason;
  }
  if (!invocation.wait) return call;
  call.path += "?wait=enforced&timeout=" + http_client::url_escape(invocation.wait_timeout);
  call.timeout += parse_duration(invocation.wait_timeout).value_or(std::chrono::seconds(0));
  return call;
}

int tell_enforcement(const http_client::HttpReply& reply, const json::value& body) {
  const auto found = reply.headers.find("latchkey-enforcement");
  if (found == reply.headers.end()) return exit_done;
  const bool confirmed = found->second.starts_with("confirmed");
  fmt::print(stderr, "{}\n", confirmed ? "Enforced at every replica." : "Done, but not confirmed as enforced in time.");
  const auto* replicas = replicas_in(body);
  if (replicas != nullptr && !replicas->empty()) {
    fmt::print(stderr, "{}", render_table(*replicas, columns));
  } else {
    fmt::print(stderr, "{}\n", sentence_of(found->second, confirmed));
  }
  return confirmed ? exit_done : exit_failed;
}

}  // namespace latchkey::cli

// `latchkey explain`: why a request was refused, asked of the service or read from a request log.

#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "access/explanation.hpp"
#include "base/regular_file.hpp"
#include "cli/key_commands.hpp"
#include "cli/terminal_text.hpp"
#include "key/request_id.hpp"

namespace latchkey::cli {
namespace {

struct ExplainOptions {
  std::string id, log;
};

void print_lines(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    fmt::print("{}\n", escape_for_terminal(line));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
}

int explain_from_log(const Invocation& invocation, const ExplainOptions& options) {
  if (const auto regular = check_regular(options.log, Links::follow); !regular) return complain(regular.error());
  std::ifstream log(options.log);
  if (!log) return complain(Error(ErrorCode::not_found, "cannot read the log " + options.log));
  for (std::string line; std::getline(log, line);) {
    if (!line.contains(options.id)) continue;
    const auto record = access::read_refused(line);
    if (!record || record->id != options.id) continue;
    if (invocation.output != Output::json) return print_lines(access::explain(*record)), exit_done;
    JsonWriter out;
    write_members(out.begin_object(), *record);
    fmt::print("{}\n", out.end_object().take());
    return exit_done;
  }
  return complain(Error(ErrorCode::not_found, fmt::format("{} has no refusal of the id {}: is it in a rotated one, "
                                                          "such as {}.1?",
                                                          options.log, options.id, options.log)));
}

int explain_online(const Invocation& invocation, const std::string& id) {
  return call_as_admin(invocation, {"GET", "/v1/requests/" + id, std::nullopt, {}}, [&](const json::value& body) {
    if (invocation.output == Output::json) return print_json(body);
    const auto* words = body.is_object() ? body.as_object().if_contains("explanation") : nullptr;
    if (words != nullptr && words->is_string()) print_lines(words->as_string());
  });
}

int explain_request(const Invocation& invocation, const ExplainOptions& options) {
  if (!RequestId::parse(options.id)) {
    return complain(
        Error(ErrorCode::invalid, fmt::format("{} is no request id: give the 32 hex digits of Latchkey-Request-Id",
                                              escape_for_terminal(options.id))));
  }
  return options.log.empty() ? explain_online(invocation, options.id) : explain_from_log(invocation, options);
}

}  // namespace

void add_explain(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("explain", "Why a request was refused, in words");
  command->footer(
      "latchkey explain 9f3a5c07d2b1e86400d4c1a07be21f03\n"
      "latchkey explain 9f3a5c07d2b1e86400d4c1a07be21f03 --log latchkey-data/logs/requests.jsonl");
  const auto options = std::make_shared<ExplainOptions>();
  command->add_option("ID", options->id, "As Latchkey-Request-Id of the answer has it")->required();
  command->add_option("--log", options->log, "A request log to read; no service is asked")->type_name("FILE");
  add_client_flags(*command, invocation);
  command->callback([&invocation, options] {
    invocation.command = [&invocation, options] { return explain_request(invocation, *options); };
  });
}

}  // namespace latchkey::cli

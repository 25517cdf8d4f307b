#include "cli/named_rows.hpp"

#include <fmt/format.h>

#include "cli/key_commands.hpp"

namespace latchkey::cli {

void show_row(const Invocation& invocation, const NamedRows& rows, const json::value& row) {
  if (!row.is_object()) return;
  if (invocation.output == Output::json) return print_json(row);
  if (!invocation.quiet) return fmt::print("{}", render_details(row.as_object(), rows.columns));
  if (const auto* name = row.as_object().if_contains(rows.name)) fmt::print("{}\n", render_value(*name));
}

int show_named(const Invocation& invocation, const NamedRows& rows, const std::string& name) {
  return call_as_admin(invocation, {"GET", row_path(rows, name), std::nullopt, {}},
                       [&](const json::value& row) { show_row(invocation, rows, row); });
}

int list_named(const Invocation& invocation, const NamedRows& rows) {
  json::array all;
  std::string cursor;
  do {
    const std::string path =
        fmt::format("{}?limit=500{}", rows.path, cursor.empty() ? "" : "&cursor=" + http_client::url_escape(cursor));
    bool good = false;
    const int code = call_as_admin(invocation, {"GET", path, std::nullopt, {}}, [&](const json::value& page) {
      const auto* object = page.if_object();
      const auto* found = object == nullptr ? nullptr : object->if_contains(rows.list);
      if (found == nullptr || !found->is_array()) return;
      good = true;
      const auto* next = object->if_contains("nextCursor");
      cursor = next != nullptr && next->is_string() ? std::string(next->as_string()) : "";
      all.insert(all.end(), found->as_array().begin(), found->as_array().end());
    });
    if (code != exit_done) return code;
    if (!good) return complain(Error(ErrorCode::unavailable, fmt::format("the answer is no list of {}", rows.list)));
  } while (!cursor.empty());
  if (invocation.output == Output::json) {
    print_json(json::object{{rows.list, std::move(all)}, {"nextCursor", nullptr}});
  } else if (!invocation.quiet) {
    fmt::print("{}", render_table(all, rows.columns));
  } else {
    for (const auto& row : all) show_row(invocation, rows, row);
  }
  return exit_done;
}

int delete_named(const Invocation& invocation, const NamedRows& rows, const std::string& name,
                 std::string_view question) {
  if (const auto end = ask(invocation, question)) return *end;
  return call_as_admin(invocation, waiting(invocation, {"DELETE", row_path(rows, name), std::nullopt, {}}),
                       [&](const json::value& body) {
                         if (invocation.output == Output::json && body.is_object()) print_json(body);
                       });
}

std::vector<std::string> put_headers(bool replace) { return {replace ? "If-Match: *" : "If-None-Match: *"}; }

CLI::App* add_named(CLI::App& parent, Invocation& invocation, const NamedCommand& command,
                    std::function<int(const std::string& argument)> act) {
  auto* app = parent.add_subcommand(std::string(command.name), std::string(command.about));
  app->footer(std::string(command.example));
  const auto argument = std::make_shared<std::string>();
  if (!command.argument.empty()) {
    app->add_option(std::string(command.argument), *argument, std::string(command.argument_about))
        ->required()
        ->type_name("NAME");
  }
  if (command.changes) add_wait_flags(*app, invocation);
  add_client_flags(*app, invocation);
  app->callback([&invocation, argument, act = std::move(act)] {
    invocation.command = [argument, act] { return act(*argument); };
  });
  return app;
}

}  // namespace latchkey::cli

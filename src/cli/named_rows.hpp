#pragma once

// What `latchkey user …` and `latchkey plans …` share.

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "cli/api.hpp"
#include "cli/enforcement.hpp"
#include "cli/limit_options.hpp"
#include "cli/render.hpp"

namespace latchkey::cli {

/// Where rows of one kind are, and how they are shown.
struct NamedRows {
  std::string_view path;  // "/v1/users"
  std::string_view list;  // the member with the page's rows
  std::string_view name;  // the member that names a row
  std::span<const Column> columns;
};

inline std::string row_path(const NamedRows& rows, const std::string& name) {
  return std::string(rows.path) + '/' + http_client::url_escape(name);
}

/// A row in the chosen form.
void show_row(const Invocation& invocation, const NamedRows& rows, const json::value& row);
int show_named(const Invocation& invocation, const NamedRows& rows, const std::string& name);
/// All pages as one body.
int list_named(const Invocation& invocation, const NamedRows& rows);
int delete_named(const Invocation& invocation, const NamedRows& rows, const std::string& name,
                 std::string_view question);

/// If-None-Match: * or, with `replace`, If-Match: *.
std::vector<std::string> put_headers(bool replace);

/// A subcommand with one argument, its client flags and a callback.
struct NamedCommand {
  std::string_view name, about, example, argument, argument_about;
  bool changes = false;  // --wait and its like
};
CLI::App* add_named(CLI::App& parent, Invocation& invocation, const NamedCommand& command,
                    std::function<int(const std::string& argument)> act);

}  // namespace latchkey::cli

#pragma once

// JSON from the API as text for people: plain columns, the same on a terminal and off it.

#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace latchkey::cli {

struct Column {
  std::string_view heading;
  std::string_view member;
};

/// One row an object; a missing or null member is "-". Values are shown harmless (cli/terminal_text.hpp).
std::string render_table(const json::array& rows, std::span<const Column> columns);

/// "heading   value", one a line, for a single object; members that are missing are left out.
std::string render_details(const json::object& object, std::span<const Column> columns);

std::string render_value(const json::value& value);

std::span<const Column> key_details();

}  // namespace latchkey::cli

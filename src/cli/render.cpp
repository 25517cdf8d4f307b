#include "cli/render.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "cli/exact_json.hpp"
#include "cli/terminal_text.hpp"

namespace latchkey::cli {
namespace {

/// Characters, not bytes: UTF-8 continuation bytes take no room.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string cell(const json::value& row, std::string_view member) {
  const auto* object = row.if_object();
  const auto* value = object == nullptr ? nullptr : object->if_contains(member);
  return value == nullptr ? "-" : render_value(*value);
}

std::string line_of(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += cells[i];
    if (i + 1 < cells.size()) line.append(widths[i] - width(cells[i]) + 2, ' ');
  }
  return line + '\n';
}

constexpr std::array details{
    Column{"Key id", "keyId"},
    Column{"User", "userId"},
    Column{"Name", "name"},
    Column{"Status", "status"},
    Column{"Requests a minute", "requestsPerMinute"},
    Column{"Remaining", "remaining"},
    Column{"Issued", "issuedAt"},
    Column{"Previous valid until", "previousValidUntil"},
    Column{"Expires", "expiresAt"},
    Column{"Last used", "lastUsedAt"},
    Column{"Last address", "lastAddress"},
    Column{"Scopes", "scopes"},
    Column{"Networks", "networks"},
    Column{"Labels", "labels"},
    Column{"Metadata", "metadata"},
    Column{"Updated", "updatedAt"},
    Column{"Updated by", "updatedBy"},
};

}  // namespace

std::span<const Column> key_details() { return details; }

std::string render_value(const json::value& value) {
  if (value.is_null()) return "-";
  if (const auto number = exact_number(value); !number.empty()) return std::string(number);
  if (value.is_string()) {
    return value.as_string().empty() ? "-" : escape_for_terminal(value.as_string());
  }
  return escape_for_terminal(serialize_exactly(value));
}

std::string render_table(const json::array& rows, std::span<const Column> columns) {
  std::vector<std::vector<std::string>> lines(1);
  for (const auto& column : columns) lines[0].emplace_back(column.heading);
  for (const auto& row : rows) {
    auto& cells = lines.emplace_back();
    for (const auto& column : columns) cells.push_back(cell(row, column.member));
  }
  std::vector<std::size_t> widths(columns.size(), 0);
  for (const auto& cells : lines) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], width(cells[i]));
  }
  std::string out;
  for (const auto& cells : lines) out += line_of(cells, widths);
  return out;
}

std::string render_details(const json::object& object, std::span<const Column> columns) {
  std::size_t widest = 0;
  for (const auto& column : columns) widest = std::max(widest, column.heading.size());
  std::string out;
  for (const auto& column : columns) {
    const auto* value = object.if_contains(column.member);
    if (value == nullptr) continue;
    if (column.member == "previousValidUntil" && value->is_null()) continue;  // no grace runs
    std::string text = render_value(*value);
    if (column.member == "expiresAt" && value->is_null()) text = "never";
    out.append(column.heading).append(widest + 2 - column.heading.size(), ' ').append(text) += '\n';
  }
  return out;
}

}  // namespace latchkey::cli

#include "http/message.hpp"

#include <algorithm>
#include <stdexcept>

#include "http/ascii.hpp"

namespace latchkey::http {
namespace {

// Appends `text` decoded, and `plus` for '+'; false where an escape is malformed.
bool append_decoded(std::string& out, std::string_view text, char plus) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? plus : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low < 0) return false;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

bool append_parameter(std::vector<std::pair<std::string, std::string>>& out, std::string_view piece) {
  const auto equals = std::min(piece.find('='), piece.size());
  auto& [name, value] = out.emplace_back();
  return append_decoded(name, piece.substr(0, equals), ' ') &&
         append_decoded(value, piece.substr(std::min(equals + 1, piece.size())), ' ');
}

}  // namespace

std::string_view to_string(Method method) {
  static constexpr std::array<std::string_view, 8> names = {"GET",   "HEAD",   "POST",    "PUT",
                                                            "PATCH", "DELETE", "OPTIONS", "other"};
  return names[static_cast<std::size_t>(method)];
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const auto& h : headers) {
    if (equals_ignoring_case(h.name, name)) return h.value;
  }
  return std::nullopt;
}

std::size_t Request::header_count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(headers.begin(), headers.end(),
                                                [&](const Header& h) { return equals_ignoring_case(h.name, name); }));
}

std::optional<std::string> decode_segment(std::string_view segment) {
  std::string out;
  return append_decoded(out, segment, '+') ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    if (end > 0 && !append_parameter(out, query.substr(0, end))) return std::nullopt;
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return out;
}

Response& Response::with_header(std::string_view name, std::string_view value) {
  const auto splits = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_token_char) ||
      std::any_of(value.begin(), value.end(), splits)) {
    throw std::invalid_argument("a header with CR, LF or NUL");
  }
  header_lines.append(name).append(": ").append(value).append("\r\n");
  return *this;
}

Response json_response(int status, std::string body) { return {status, "application/json", {}, std::move(body)}; }

}  // namespace latchkey::http

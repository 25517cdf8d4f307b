#include "service/media_type.hpp"

#include <algorithm>

#include "http/ascii.hpp"

namespace latchkey::service {
namespace {

using http::equals_ignoring_case;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes the piece before the next `separator` off the front.
std::string_view take_piece(std::string_view& list, char separator) {
  const auto end = std::min(list.find(separator), list.size());
  const std::string_view piece = trimmed(list.substr(0, end));
  list.remove_prefix(std::min(end + 1, list.size()));
  return piece;
}

bool is_other_charset(std::string_view parameter) {
  const std::string_view name = take_piece(parameter, '=');
  if (!equals_ignoring_case(name, "charset")) return false;
  std::string_view value = trimmed(parameter);
  if (value.size() > 1 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  return !equals_ignoring_case(value, "utf-8");
}

bool has_zero_weight(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view parameter = take_piece(parameters, ';');
    if (!equals_ignoring_case(take_piece(parameter, '='), "q")) continue;
    return parameter.find_first_not_of("0. ") == std::string_view::npos;
  }
  return false;
}

}  // namespace

MediaType media_type_of(const http::Request& request) {
  const auto header = request.header("Content-Type");
  if (!header) return MediaType::none;
  std::string_view rest = *header;
  const std::string_view type = take_piece(rest, ';');
  while (!rest.empty()) {
    if (is_other_charset(take_piece(rest, ';'))) return MediaType::other;
  }
  if (equals_ignoring_case(type, "application/json")) return MediaType::json;
  return equals_ignoring_case(type, "application/merge-patch+json") ? MediaType::merge_patch : MediaType::other;
}

bool is_json(MediaType type, std::string_view body) {
  return type == MediaType::json || type == MediaType::merge_patch || (type == MediaType::none && body.empty());
}

bool accepts(const http::Request& request, std::string_view media_type) {
  for (const auto& header : request.headers) {
    if (!equals_ignoring_case(header.name, "Accept")) continue;
    for (std::string_view list = header.value; !list.empty();) {
      std::string_view range = take_piece(list, ',');
      if (equals_ignoring_case(take_piece(range, ';'), media_type)) return !has_zero_weight(range);
    }
  }
  return false;
}

}  // namespace latchkey::service

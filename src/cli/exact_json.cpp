#include "cli/exact_json.hpp"

#include <boost/json/serialize.hpp>

#include "base/json_text.hpp"

namespace latchkey::cli {
namespace {

constexpr char number_mark = '\xff';  // in no UTF-8 text
// A body that was taken may nest as deep as parse_json() lets it by default; an answer puts its members a few levels deeper.
constexpr std::size_t max_depth = 32;

/// Of a compact text that parse_json() has passed.
json::value value_of(const std::string& text) {
  if (text.front() == '{') {
    json::object object;
    for (const auto& member : members_of(text)) object[member.name] = value_of(member.value);
    return object;
  }
  if (text.front() == '[') {
    json::array array;
    for (const auto& element : elements_of(text)) array.push_back(value_of(element));
    return array;
  }
  auto value = parse_json(text, max_depth);
  if (!value) return nullptr;
  return value->is_number() && json::serialize(*value) != text ? json::value(number_mark + text) : std::move(*value);
}

void append(std::string& out, const json::value& value) {
  const char* separator = "";
  if (const auto* object = value.if_object()) {
    out += '{';
    for (const auto& member : *object) {
      out.append(std::exchange(separator, ",")).append(json::serialize(json::value(member.key()))).append(":");
      append(out, member.value());
    }
    out += '}';
  } else if (const auto* array = value.if_array()) {
    out += '[';
    for (const auto& element : *array) append(out.append(std::exchange(separator, ",")), element);
    out += ']';
  } else {
    const auto number = exact_number(value);
    out.append(number.empty() ? json::serialize(value) : std::string(number));
  }
}

}  // namespace

std::string_view exact_number(const json::value& value) {
  const auto* text = value.if_string();
  const bool kept = text != nullptr && !text->empty() && text->front() == number_mark;
  return kept ? std::string_view(*text).substr(1) : std::string_view();
}

Result<json::value> parse_exactly(std::string_view text) {
  auto parsed = parse_json(text, max_depth);
  if (!parsed) return parsed;
  const std::string compact = compact_json(text);
  return json::serialize(*parsed) == compact ? std::move(parsed) : value_of(compact);
}

std::string serialize_exactly(const json::value& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace latchkey::cli

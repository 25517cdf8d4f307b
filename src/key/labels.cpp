#include "key/labels.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "key/text_list.hpp"

namespace latchkey {
namespace {

bool is_letter_or_digit(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_name_character(char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-' || c == '/'; }

bool is_value_character(char c) { return is_name_character(c) || c == ':' || c == '@' || c == '+'; }

}  // namespace

bool is_label_name(std::string_view text) {
  return !text.empty() && text.size() <= max_label_name_bytes && is_letter_or_digit(text.front()) &&
         is_letter_or_digit(text.back()) && std::all_of(text.begin(), text.end(), is_name_character);
}

bool is_label_value(std::string_view text) {
  return text.size() <= max_label_value_bytes && std::all_of(text.begin(), text.end(), is_value_character);
}

Result<Labels> read_labels(const json::value& object, std::string_view pointer) {
  const std::string at(pointer);
  if (!object.is_object()) return Error::invalid(at, R"(must be an object of texts, such as {"team": "billing"})");
  if (object.get_object().size() > max_labels) {
    return Error::invalid(at, fmt::format("must have at most {} labels", max_labels));
  }
  Labels labels;
  Error error(ErrorCode::invalid, "The request breaks one or more rules; see errors.");
  for (const auto& member : object.get_object()) {
    const std::string_view name = member.key();
    const std::string place = at + json_pointer_to(name);
    if (!is_label_name(name)) {
      error.fields.push_back({place,
                              "must have a name of 1 to 63 characters of A-Z, a-z, 0-9, '.', '_', '-' and '/', "
                              "with a letter or digit at both ends"});
    } else if (!member.value().is_string() || !is_label_value(member.value().get_string())) {
      error.fields.push_back(
          {place, "must be a text of at most 63 characters of A-Z, a-z, 0-9, '.', '_', '-', '/', ':', '@' and '+'"});
    } else {
      labels.emplace(name, std::string_view(member.value().get_string()));
    }
  }
  if (error.fields.empty()) return labels;
  return error;
}

Result<Labels> parse_labels(std::string_view text) {
  if (text.size() > max_list_text_bytes) return Error::invalid("", "is too long for labels");
  const auto value = parse_json(text);
  return value ? read_labels(*value, "") : value.error();
}

std::string labels_json(const Labels& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels)
    out += fmt::format("{}\"{}\":\"{}\"", out.size() > 1 ? "," : "", name, value);
  return out + '}';
}

}  // namespace latchkey

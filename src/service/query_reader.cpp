#include "service/query_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json.hpp"
#include "http/ascii.hpp"
#include "http/message.hpp"

namespace latchkey::service {

QueryReader::QueryReader(std::string_view query) {
  auto parsed = http::parse_query(query);
  if (parsed) {
    parameters_ = std::move(*parsed);
  } else {
    errors_.push_back({"", "the query string has a malformed escape"});
  }
}

std::optional<std::string> QueryReader::text(std::string_view name) {
  known_.emplace_back(name);
  std::optional<std::string> value;
  for (const auto& [key, text] : parameters_) {
    if (key != name) continue;
    if (value) note(name, "must not be repeated");
    value = text;
  }
  return value;
}

std::size_t QueryReader::number(std::string_view name, std::size_t least, std::size_t most, std::size_t otherwise) {
  const auto value = text(name);
  if (!value) return otherwise;
  std::size_t number = 0;
  const char* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc() && stop == end && number >= least && number <= most) return number;
  note(name, fmt::format("must be a whole number from {} to {}", least, most));
  return otherwise;
}

void QueryReader::note(std::string_view name, std::string detail) {
  errors_.push_back({json_pointer_to(name), std::move(detail)});
}

Result<void> QueryReader::finish() {
  for (const auto& [name, value] : parameters_) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    if (http::is_visible_ascii(name)) {
      note(name, "is not a parameter of this route");
    } else {
      errors_.push_back({"", "a parameter with a name that is not visible ASCII is not one of this route"});
    }
  }
  if (errors_.empty()) return {};
  Error error(ErrorCode::invalid, "The query breaks one or more rules; see errors.");
  error.fields = std::move(errors_);
  return error;
}

}  // namespace latchkey::service

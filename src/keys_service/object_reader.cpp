#include "keys_service/object_reader.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cmath>

namespace latchkey::keys_service {
namespace {

std::optional<std::int64_t> as_whole_number(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64()) return INT64_MAX;
  if (!value.is_double() || std::trunc(value.get_double()) != value.get_double()) return std::nullopt;
  constexpr double bound = 9.0e18;
  return static_cast<std::int64_t>(std::clamp(value.get_double(), -bound, bound));
}

}  // namespace

Result<ObjectReader> ObjectReader::parse(std::string_view text) {
  auto value = parse_json(text);
  if (!value) return Error::invalid("", value.error().detail);
  if (!value->is_object()) return Error::invalid("", "must be a JSON object");
  return ObjectReader(std::move(value->get_object()));
}

const json::value* ObjectReader::find(std::string_view name) {
  known_.emplace_back(name);
  return object_.if_contains(name);
}

std::optional<std::string> ObjectReader::text(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return std::string(value->get_string());
  note(name, "must be a string");
  return std::nullopt;
}

std::optional<bool> ObjectReader::boolean(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_bool()) return value->get_bool();
  note(name, "must be true or false");
  return std::nullopt;
}

std::optional<std::int64_t> ObjectReader::whole_number(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  const auto number = as_whole_number(*value);
  if (!number) note(name, "must be a whole number");
  return number;
}

std::optional<std::string> ObjectReader::object(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_object()) return json::serialize(*value);
  note(name, "must be a JSON object");
  return std::nullopt;
}

void ObjectReader::note(std::string_view name, std::string detail) {
  errors_.push_back({json_pointer_to(name), std::move(detail)});
}

void ObjectReader::note(const Error& error) { errors_.insert(errors_.end(), error.fields.begin(), error.fields.end()); }

Result<void> ObjectReader::finish() {
  for (const auto& member : object_) {
    const std::string_view name = member.key();
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) note(name, "is not a member of this request");
  }
  if (errors_.empty()) return {};
  Error error(ErrorCode::invalid, "The request breaks one or more rules; see errors.");
  error.fields = std::move(errors_);
  return error;
}

}  // namespace latchkey::keys_service

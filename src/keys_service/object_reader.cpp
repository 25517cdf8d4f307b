#include "keys_service/object_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/control_characters.hpp"
#include "store/audit.hpp"

namespace latchkey::keys_service {
namespace {

bool is_reason(std::string_view text) { return text.size() <= store::max_reason_bytes && !has_control_character(text); }

}  // namespace

Result<ObjectReader> ObjectReader::parse(std::string_view text) {
  auto value = parse_json(text);
  if (!value) return Error::invalid("", value.error().detail);
  if (!value->is_object()) return Error::invalid("", "must be a JSON object");
  ObjectReader reader(std::move(value->get_object()), text);
  reader.note_reason();
  return reader;
}

void ObjectReader::note_reason() {
  const auto reason = text("reason");
  if (reason && !is_reason(*reason)) {
    note("reason", fmt::format("must be at most {} bytes without control characters", store::max_reason_bytes));
  }
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
  const auto number = value->is_number() ? whole_number_of(text_of(name)) : std::nullopt;
  if (!number) note(name, "must be a whole number");
  return number;
}

std::optional<std::string> ObjectReader::object(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_object()) return text_of(name);
  note(name, "must be a JSON object");
  return std::nullopt;
}

const std::string& ObjectReader::text_of(std::string_view name) const {
  return std::find_if(members_.begin(), members_.end(), [&](const auto& member) { return member.name == name; })->value;
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

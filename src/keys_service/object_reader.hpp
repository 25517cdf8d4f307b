#pragma once

// Reads one JSON object member by member and collects everything that is wrong with it, so that the caller hears it all
// at once.

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/json_text.hpp"

namespace latchkey::keys_service {

class ObjectReader {
 public:
  /// Every body may have a `reason` for the audit trail, which is checked here. Fails with ErrorCode::invalid at "" (the whole document) for what is no JSON object.
  static Result<ObjectReader> parse(std::string_view text);

  /// The member if it came; nullptr otherwise. Whatever is asked for is a known member.
  const json::value* find(std::string_view name);
  bool has(std::string_view name) const { return object_.contains(name); }

  /// nullopt: absent, or of a wrong type, which is noted.
  std::optional<std::string> text(std::string_view name);
  std::optional<bool> boolean(std::string_view name);
  /// Whole numbers in any spelling JSON has for them (60, 60.0, 6e1), exactly; those beyond 64 bits come as the
  /// nearest.
  std::optional<std::int64_t> whole_number(std::string_view name);
  /// A JSON object, serialised, its numbers as they were sent.
  std::optional<std::string> object(std::string_view name);

  void note(std::string_view name, std::string detail);
  void note(const Error& error);
  void note(const Result<void>& checked) {
    if (!checked) note(checked.error());
  }

  /// Notes the members nobody asked for; the error with all notes, or nothing.
  Result<void> finish();

 private:
  void note_reason();
  ObjectReader(json::object object, std::string_view text) : object_(std::move(object)), members_(members_of(text)) {}
  /// The member's value as compact JSON, for what must be kept as it was sent. The member is there.
  const std::string& text_of(std::string_view name) const;

  json::object object_;
  std::vector<JsonMember> members_;
  std::vector<std::string> known_;
  std::vector<FieldError> errors_;
};

}  // namespace latchkey::keys_service

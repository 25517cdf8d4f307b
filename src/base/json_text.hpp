#pragma once

// JSON texts as texts, for what must come back exactly as it was sent: a number in a json::value is a 64-bit integer or
// a double, so 1.0 and 123456789012345678901 would come back as other text.
//
// Every text given to these functions has passed parse_json(); of others the result is unspecified.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace latchkey {

/// Without white space, each string in its shortest spelling, each number as it stands.
std::string compact_json(std::string_view text);

/// The same with the members of every object in the order of their names: two texts that differ in white space, in the
/// spelling of strings or in the order of members only are equal then.
std::string canonical_json(std::string_view text);

struct JsonMember {
  std::string name;   // decoded
  std::string value;  // compact
};

/// The members of an object, in order.
std::vector<JsonMember> members_of(std::string_view object);
/// The elements of an array, each compact, in order.
std::vector<std::string> elements_of(std::string_view array);
/// An object of these members.
std::string object_of(const std::vector<JsonMember>& members);

/// The value of a number, exactly, in any spelling that JSON has for it (60, 60.0, 6e1). nullopt: not a whole number.
/// What is beyond 64 bits comes as the nearest.
std::optional<std::int64_t> whole_number_of(std::string_view number);

}  // namespace latchkey

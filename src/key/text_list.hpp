#pragma once

// A JSON array of texts, each of which is read by a rule of its own: scopes, networks.

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"

namespace latchkey {

/// What is read of a text: somebody may have put white space into a database.
constexpr std::size_t max_list_text_bytes = 4096;

/// `read_one`: string_view → Result<Value>; its detail says what is wrong. `of_what`: "scopes". Every fault is named, at
/// pointers below `pointer`.
template <class Value, class ReadOne>
Result<std::vector<Value>> read_text_list(const json::value& array, std::string_view pointer, std::string_view of_what,
                                          std::size_t most, ReadOne read_one) {
  if (!array.is_array()) return Error::invalid(std::string(pointer), fmt::format("must be an array of {}", of_what));
  const auto& values = array.get_array();
  if (values.size() > most) {
    return Error::invalid(std::string(pointer), fmt::format("must have at most {} {}", most, of_what));
  }
  std::vector<Value> list;
  Error error(ErrorCode::invalid, "The request breaks one or more rules; see errors.");
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto note = [&](std::string why) {
      error.fields.push_back({fmt::format("{}/{}", pointer, i), std::move(why)});
    };
    if (!values[i].is_string()) {
      note("must be a text");
      continue;
    }
    auto value = read_one(std::string_view(values[i].get_string()));
    if (!value) {
      note(value.error().detail);
    } else if (std::find(list.begin(), list.end(), *value) != list.end()) {
      note(fmt::format("must differ from the other {}", of_what));
    } else {
      list.push_back(std::move(*value));
    }
  }
  if (error.fields.empty()) return list;
  return error;
}

}  // namespace latchkey

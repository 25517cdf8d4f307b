#pragma once

// Labels: what an admin sorts keys by. No access decision depends on them.
//
//   {"team": "billing", "env": "prod"}

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/json.hpp"

namespace latchkey {

constexpr std::size_t max_labels = 16;
constexpr std::size_t max_label_name_bytes = 63;
constexpr std::size_t max_label_value_bytes = 63;
/// No object in labels_json()'s form is longer.
constexpr std::size_t max_labels_json_bytes = 2200;

/// Name → value.
using Labels = std::map<std::string, std::string, std::less<>>;

/// 1 to 63 characters of A-Z, a-z, 0-9, '.', '_', '-' and '/', the first and the last a letter or digit.
bool is_label_name(std::string_view text);
/// 0 to 63 characters of those, ':', '@' and '+'.
bool is_label_value(std::string_view text);

/// Reads a JSON object of texts. ErrorCode::invalid names everything that is wrong, at pointers below `pointer`
/// ("/labels/team").
Result<Labels> read_labels(const json::value& object, std::string_view pointer);
/// The same of a text, as a database has it.
Result<Labels> parse_labels(std::string_view text);

/// `{"env":"prod","team":"billing"}`, by name: the one text of labels.
std::string labels_json(const Labels& labels);

}  // namespace latchkey

#pragma once

// Comma-separated values, RFC 4180: quoted fields may hold commas, line ends and doubled quotes.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace latchkey::cli {

struct CsvRow {
  std::vector<std::string> fields;
  std::size_t line = 1;  // where it begins, counted from 1
};

/// Rows, empty lines left out. ErrorCode::invalid, with the line, for a quote where none belongs or that is not closed.
Result<std::vector<CsvRow>> parse_csv(std::string_view text);

/// One field as it stands in a row: in quotes where it needs them.
std::string csv_field(std::string_view text);

}  // namespace latchkey::cli

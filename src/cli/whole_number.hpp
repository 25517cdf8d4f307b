#pragma once

// A count on the command line, in decimal digits: `--limit 010` is an error, since CLI11 would read it as octal, 8.

#include <CLI/CLI.hpp>

namespace latchkey::cli {

/// Accepts an optional minus sign and decimal digits without a leading zero. CLI11 2.1 itself takes C's prefixes as
/// well: `010` is 8 there and `0x10` is 16. The bounds are checked elsewhere.
inline CLI::Validator whole_number() {
  return CLI::Validator(
      [](const std::string& text) -> std::string {
        const auto digits = text.substr(text.starts_with('-') ? 1 : 0);
        const bool decimal = !digits.empty() && digits.find_first_not_of("0123456789") == std::string::npos;
        if (decimal && (digits == "0" || digits.front() != '0')) return {};
        return "\"" + text + "\" is not a whole number in decimal digits, such as 60";
      },
      "", "whole number");
}

}  // namespace latchkey::cli

#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace latchkey::cli {

/// latchkey(1) in roff, made from the parser itself as --help is: all commands, their options and examples, and every
/// setting once. `date` as YYYY-MM-DD.
std::string man_page(const CLI::App& app, const std::string& date);

}  // namespace latchkey::cli

#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

namespace latchkey::cli {

/// The subcommand or option nearest to `word`, where it is not one itself and at most two letters away; else empty.
std::string suggest(const CLI::App& app, std::string_view word);

}  // namespace latchkey::cli

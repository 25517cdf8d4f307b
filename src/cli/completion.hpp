#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace latchkey::cli {

/// Scripts made from the parser itself, so that they cannot fall behind it.
std::string bash_completion(const CLI::App& app);
std::string zsh_completion(const CLI::App& app);
std::string fish_completion(const CLI::App& app);

}  // namespace latchkey::cli

#pragma once

// The whole command line. main.cpp gives the two services; everything else here speaks HTTP to them.

#include <functional>

#include "cli/settings.hpp"

namespace latchkey::cli {

enum ExitCode : int { exit_done = 0, exit_failed = 1, exit_usage = 2, exit_not_authorised = 4 };

/// Each runs its service until SIGTERM or SIGINT and returns the exit code.
struct Programs {
  std::function<int(const Settings&)> keys;
  std::function<int(const Settings&)> tokens;
};

/// Parses, runs one command, returns the exit code. Never throws.
int run(int argc, char** argv, const Programs& programs);

}  // namespace latchkey::cli

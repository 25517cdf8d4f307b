#pragma once

// The whole command line. src/main gives the two services; everything else here speaks HTTP to them.

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "config/settings.hpp"
#include "limit/rate_limiter.hpp"

namespace latchkey::cli {

enum ExitCode : int { exit_done = 0, exit_failed = 1, exit_usage = 2, exit_not_authorised = 4 };

/// A store's URL, and the option or setting that names it.
struct NamedUrl {
  std::string place;
  std::string url;
};

struct Verified {
  bool whole = false;
  std::string text;
};

struct Programs {
  /// Each runs its service until SIGTERM or SIGINT and returns the exit code.
  std::function<int(const config::Settings&)> keys;
  std::function<int(const config::Settings&)> tokens;
  std::function<int(const config::Settings&)> relay;
  /// For --check-config: what only the services can tell of settings that are well-formed, such as whether this build
  /// has the engines and the files can be used. All that is wrong at once.
  std::function<std::vector<FieldError>(const config::Settings&)> configuration_errors;
  /// `latchkey store migrate`: what was moved, in words.
  std::function<Result<std::string>(const std::string& from, const NamedUrl& to)> migrate;
  /// `latchkey store backup` and `restore`: what was done, in words.
  std::function<Result<std::string>(const config::Settings&, const std::string& file)> backup;
  std::function<Result<std::string>(const config::Settings&, const std::string& file)> restore;
  /// `latchkey store verify`: what the chain of the audit trail shows.
  std::function<Result<Verified>(const config::Settings&)> verify;
  /// For `latchkey backtest`: a replica's own limiter, which keeps nothing.
  std::function<std::unique_ptr<limit::RateLimiter>(const Clock&)> limiter;
  /// `latchkey limiter begin`, likewise.
  std::function<Result<std::string>(const config::Settings&)> begin_limiter;
};

/// Parses, runs one command, returns the exit code. Never throws.
int run(int argc, char** argv, const Programs& programs);

}  // namespace latchkey::cli

#pragma once

#include <vector>

#include "base/error.hpp"
#include "cli/cli.hpp"
#include "config/settings.hpp"

namespace latchkey {

/// Access Key Management, until SIGTERM or SIGINT. Returns the exit code.
int run_keys(const config::Settings& settings);
/// Token Information, likewise.
int run_tokens(const config::Settings& settings);
/// The relay, likewise: copies the store's changes to the stream, for replicas that need Redis only.
int run_relay(const config::Settings& settings);
/// What a service would find wrong with well-formed settings, without starting one.
std::vector<FieldError> configuration_errors(const config::Settings& settings);
/// `latchkey store migrate`. Returns what was moved, in words.
Result<std::string> migrate_store(const std::string& from, const cli::NamedUrl& to);
/// `latchkey store backup` and `latchkey store restore`, likewise.
Result<std::string> back_up_store(const config::Settings& settings, const std::string& file);
Result<std::string> restore_store(const config::Settings& settings, const std::string& file);
/// As a replica has it, with nothing that outlives it.
std::unique_ptr<limit::RateLimiter> new_limiter(const Clock& clock);
/// `latchkey store verify`.
Result<cli::Verified> verify_store(const config::Settings& settings);
/// `latchkey limiter begin`, likewise.
Result<std::string> begin_limiter(const config::Settings& settings);

}  // namespace latchkey

#pragma once

// How a command line says limits, scopes and networks.
//
//   --limit burst=10/1s --limit daily=5000/day,user --limit monthly=10000/month,zone=Europe/Berlin,anchor=15,observe
//   --scope tokens:read --scope 'tokens:*' --network 10.0.0.0/8

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace latchkey::cli {

/// One limit as the API has it. ErrorCode::invalid names the text and what is wrong; the numbers' bounds are the
/// service's to judge.
Result<json::object> limit_of(std::string_view text);

struct LimitOptions {
  std::optional<std::int64_t> requests_per_minute;
  std::string json;                 // an array; empty: not given
  std::vector<std::string> limits;  // one empty text: none of its own
};
void add_limit_options(CLI::App& app, LimitOptions& options);
/// All of them as a list; nullopt: only --requests-per-minute, or nothing. ErrorCode::invalid as above.
Result<std::optional<json::array>> own_limits_of(const LimitOptions& options);
/// What a PUT of a plan or user says of them.
Result<json::array> limits_of(const LimitOptions& options);

struct AccessOptions {
  std::vector<std::string> scopes, networks;  // one empty text: no list of its own
  bool no_scopes = false, no_networks = false;
};
void add_access_options(CLI::App& app, AccessOptions& options);
/// The members `scopes` and `networks`, where the command line speaks of them.
void put_access(json::object& body, const AccessOptions& options);

/// A key's own limits: `requestsPerMinute` or `limits`.
Result<void> put_key_limits(json::object& body, const LimitOptions& options, bool unlimited);
void add_unlimited_flag(CLI::App& app, bool& unlimited);

}  // namespace latchkey::cli

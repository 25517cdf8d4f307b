#pragma once

// What one run of the program was asked for: filled by the parser, read by the command.

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "cli/cli.hpp"

namespace latchkey::cli {

enum class Output : std::uint8_t { table, json };
enum class Confirmed : std::uint8_t { no, yes };

struct Invocation {
  const Programs& programs;
  std::string program;  // argv[0]
  CLI::App& app;
  std::map<std::string, std::string> flags{};  // settings by name
  std::string config{};                        // --config; empty: not given
  bool check_config = false;
  bool print_config = false;
  Output output = Output::table;
  bool quiet = false;
  bool yes = false;
  bool wait = false;
  std::string wait_timeout = "60s";
  std::string token_file{};
  std::string reason{};  // of a command that changes something; empty: none given
  std::function<int()> command{};

  Result<config::ResolvedSettings> settings() const;
};

/// Everything the settings name can be read and used: said once, before any process starts.
Result<void> check_configuration(const Invocation& invocation, const config::ResolvedSettings& resolved);

/// Says what is wrong on stderr, a line each, and returns exit_usage or exit_failed by its kind.
int complain(const Error& error);

// Options that several commands share.
void add_setting_flags(CLI::App& app,
                       Invocation& invocation);  // every setting, --config, --check-config, --print-config
void add_output_flags(CLI::App& app, Invocation& invocation);    // --data-dir, --config, -o, --quiet
void add_client_flags(CLI::App& app, Invocation& invocation);    // and --token-file
void add_location_flags(CLI::App& app, Invocation& invocation);  // --data-dir, --config
void add_token_flag(CLI::App& app, Invocation& invocation);      // --token-file
void add_yes_flag(CLI::App& app, Invocation& invocation);

// One a subcommand, each in the file of its name. `examples` of a command are its footer; help shows them first.
void add_up(CLI::App& app, Invocation& invocation);
void add_services(CLI::App& app, Invocation& invocation);
void add_key(CLI::App& app, Invocation& invocation);
void add_plan(CLI::App& app, Invocation& invocation);
void add_plans(CLI::App& app, Invocation& invocation);
void add_user(CLI::App& app, Invocation& invocation);
void add_changes(CLI::App& app, Invocation& invocation);
void add_backtest(CLI::App& app, Invocation& invocation);
void add_explain(CLI::App& app, Invocation& invocation);
void add_usage(CLI::App& app, Invocation& invocation);
void add_replicas(CLI::App& app, Invocation& invocation);
void add_signing_key(CLI::App& app, Invocation& invocation);
void add_limiter(CLI::App& app, Invocation& invocation);
void add_store(CLI::App& app, Invocation& invocation);
void add_admin_token(CLI::App& app, Invocation& invocation);
void add_leak_rule(CLI::App& app, Invocation& invocation);
void add_completion(CLI::App& app, Invocation& invocation);
void add_man_page(CLI::App& app, Invocation& invocation);

/// The complete parser.
void build_app(CLI::App& app, Invocation& invocation);

}  // namespace latchkey::cli

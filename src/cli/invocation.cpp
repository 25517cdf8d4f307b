#include "cli/invocation.hpp"

#include <fmt/format.h>

namespace latchkey::cli {
namespace {

void add_setting(CLI::App& app, Invocation& invocation, const config::SettingSpec& spec) {
  const config::Settings defaults;
  const std::string standard = spec.get(defaults);
  const auto keep = [&invocation, name = std::string(spec.name)](const std::string& text) {
    invocation.flags[name] = text;
  };
  app.add_option_function<std::string>(
         spec.flag(), keep,
         fmt::format("{} [{}]{}", spec.help, spec.environment(), standard.empty() ? "" : " (" + standard + ")"))
      ->type_name(std::string(spec.placeholder))
      ->group("Settings");
}

void add_config(CLI::App& app, Invocation& invocation) {
  app.add_option("--config", invocation.config, "Configuration file [LATCHKEY_CONFIG] (latchkey.toml if there is one)")
      ->type_name("FILE")
      ->group("Settings");
}

}  // namespace

Result<config::ResolvedSettings> Invocation::settings() const {
  config::SettingSources sources{flags, config::latchkey_environment(), std::nullopt};
  if (!config.empty()) sources.config_flag = config;
  return config::load_settings(sources);
}

Result<void> check_configuration(const Invocation& invocation, const config::ResolvedSettings& resolved) {
  Error error(ErrorCode::invalid, "the configuration is not valid");
  error.fields = invocation.programs.configuration_errors(resolved.settings);
  for (auto& field : error.fields) field.pointer = resolved.place_of(field.pointer);
  if (!error.fields.empty()) return error;
  return {};
}

int complain(const Error& error) {
  if (!error.detail.empty()) fmt::print(stderr, "latchkey: {}\n", error.detail);
  for (const auto& field : error.fields) fmt::print(stderr, "  {}: {}\n", field.pointer, field.detail);
  return error.code == ErrorCode::invalid ? exit_usage : exit_failed;
}

void add_setting_flags(CLI::App& app, Invocation& invocation) {
  for (const auto& spec : config::setting_specs()) add_setting(app, invocation, spec);
  add_config(app, invocation);
  app.add_flag("--check-config", invocation.check_config, "Check the configuration and end")->group("Settings");
  app.add_flag("--print-config", invocation.print_config, "Print the configuration and where it is from, and end")
      ->group("Settings");
}

void add_location_flags(CLI::App& app, Invocation& invocation) {
  for (const auto& spec : config::setting_specs()) {
    if (spec.name == "data_dir") add_setting(app, invocation, spec);
  }
  add_config(app, invocation);
}

void add_output_flags(CLI::App& app, Invocation& invocation) {
  add_location_flags(app, invocation);
  const std::map<std::string, Output> outputs{{"table", Output::table}, {"json", Output::json}};
  app.add_option_function<std::string>(
         "-o,--output", [&invocation, outputs](const std::string& text) { invocation.output = outputs.at(text); },
         "table or json (the API's own)")
      ->check(CLI::IsMember(outputs))
      ->type_name("FORMAT");
  app.add_flag("-q,--quiet", invocation.quiet, "Print only the id, or the new access key");
}

void add_client_flags(CLI::App& app, Invocation& invocation) {
  add_output_flags(app, invocation);
  add_token_flag(app, invocation);
}

void add_token_flag(CLI::App& app, Invocation& invocation) {
  app.add_option("--token-file", invocation.token_file,
                 "Admin token, else LATCHKEY_ADMIN_TOKEN, else by the data directory")
      ->type_name("FILE");
}

void add_yes_flag(CLI::App& app, Invocation& invocation) { app.add_flag("-y,--yes", invocation.yes, "Do not ask"); }

}  // namespace latchkey::cli

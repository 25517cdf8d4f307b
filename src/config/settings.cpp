#include "config/settings.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <thread>

#include "base/regular_file.hpp"
#include "config/redact_url.hpp"

namespace latchkey::config {
namespace {

// Read by the commands that talk to a running service, or by tests; no settings.
const std::set<std::string, std::less<>> client_variables{"LATCHKEY_CONFIG",     "LATCHKEY_URL",
                                                          "LATCHKEY_TOKENS_URL", "LATCHKEY_ADMIN_TOKEN",
                                                          "LATCHKEY_ACCESS_KEY", "LATCHKEY_LONG"};

constexpr std::size_t max_config_bytes = 1U << 20U;

const SettingSpec* find_spec(std::string_view name) {
  const auto specs = setting_specs();
  const auto found = std::find_if(specs.begin(), specs.end(), [&](const auto& spec) { return spec.name == name; });
  return found == specs.end() ? nullptr : &*found;
}

/// Collects what is wrong and where each value came from.
class Resolver {
 public:
  void set(const SettingSpec& spec, std::string_view text, const std::string& place, const std::string& origin) {
    const auto done = spec.set(resolved_.settings, text);
    if (!done) return complain(place, done.error().detail);
    resolved_.origins[std::string(spec.name)] = origin;
  }
  void complain(std::string place, std::string why) { wrong_.push_back({std::move(place), std::move(why)}); }

  /// The configuration file holds the rules, unless the setting `rules` names another.
  void note_rule_file(const std::string& file, bool has_rules) {
    std::error_code failed;
    const auto absolute = std::filesystem::absolute(file, failed);
    rule_file_ = failed ? file : absolute.lexically_normal().string();
    has_rules_ = has_rules;
  }

  Result<ResolvedSettings> finish() && {
    settle_rule_file();
    if (!wrong_.empty()) {
      Error error(ErrorCode::invalid, "the configuration is not valid");
      error.fields = std::move(wrong_);
      return error;
    }
    for (const auto& spec : setting_specs()) resolved_.origins.emplace(spec.name, "default");
    if (resolved_.settings.threads == 0) resolved_.settings.threads = std::max(1U, std::thread::hardware_concurrency());
    return std::move(resolved_);
  }

 private:
  void settle_rule_file() {
    auto& rules = resolved_.settings.rules;
    if (rules.empty() && !resolved_.origins.contains("rules")) {
      if (!rule_file_.empty()) resolved_.origins["rules"] = rule_file_;
      rules = rule_file_;  // absolute: read again on SIGHUP, and by the services that `up` starts
    } else if (has_rules_ && rules != rule_file_) {
      complain("rules", fmt::format("is {}, but {} has [[rule]] as well: keep them in one file", rules, rule_file_));
    }
  }

  ResolvedSettings resolved_;
  std::vector<FieldError> wrong_;
  std::string rule_file_;
  bool has_rules_ = false;
};

void take_toml_value(Resolver& resolver, const std::string& file, std::string_view name, const toml::node& node) {
  const std::string place = fmt::format("{}: {}", file, name);
  const SettingSpec* spec = find_spec(name);
  if (spec == nullptr) return resolver.complain(place, "unknown setting");
  if (spec->kind == SettingSpec::Kind::number) {
    if (const auto* number = node.as_integer()) return resolver.set(*spec, std::to_string(number->get()), place, file);
    return resolver.complain(place, "must be a whole number");
  }
  if (spec->kind == SettingSpec::Kind::boolean) {
    if (const auto* flag = node.as_boolean()) return resolver.set(*spec, flag->get() ? "true" : "false", place, file);
    return resolver.complain(place, "must be true or false");
  }
  if (const auto* text = node.as_string()) return resolver.set(*spec, text->get(), place, file);
  resolver.complain(place, "must be a string");
}

/// "file:line", or the file alone where nothing was parsed.
std::string place_of(const std::string& file, const toml::parse_error& error) {
  const auto line = error.source().begin.line;
  return line == 0 ? file : fmt::format("{}:{}", file, line);
}

void take_file(Resolver& resolver, const std::string& file) {
  const auto text = read_regular(file, max_config_bytes, Links::follow);
  if (!text) return resolver.complain("configuration file", text.error().detail);
  try {
    const toml::table table = toml::parse(*text, file);
    for (const auto& [name, node] : table) {
      if (name.str() != "rule") take_toml_value(resolver, file, name.str(), node);
    }
    resolver.note_rule_file(file, table.contains("rule"));
  } catch (const toml::parse_error& error) {
    resolver.complain(place_of(file, error), std::string(error.description()));
  }
}

/// Empty: no file.
std::string config_file(const SettingSources& sources) {
  if (sources.config_flag) return *sources.config_flag;
  const auto named = sources.environment.find("LATCHKEY_CONFIG");
  if (named != sources.environment.end()) return named->second;
  std::error_code ignored;
  return std::filesystem::exists("latchkey.toml", ignored) ? "latchkey.toml" : "";
}

void take_environment(Resolver& resolver, const std::map<std::string, std::string>& environment) {
  std::map<std::string, const SettingSpec*> known;
  for (const auto& spec : setting_specs()) known.emplace(spec.environment(), &spec);
  for (const auto& [name, value] : environment) {
    const auto found = known.find(name);
    if (found != known.end()) {
      resolver.set(*found->second, value, name, name);
    } else if (!client_variables.contains(name)) {
      resolver.complain(name, "unknown environment variable");
    }
  }
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

std::map<std::string, std::string> latchkey_environment() {
  std::map<std::string, std::string> found;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (text.starts_with("LATCHKEY_") && equals != std::string_view::npos) {
      found.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return found;
}

Result<ResolvedSettings> load_settings(const SettingSources& sources) {
  Resolver resolver;
  if (const std::string file = config_file(sources); !file.empty()) take_file(resolver, file);
  take_environment(resolver, sources.environment);
  for (const auto& [name, value] : sources.flags) {
    const SettingSpec* spec = find_spec(name);
    if (spec != nullptr) resolver.set(*spec, value, spec->flag(), "flag " + spec->flag());
  }
  return std::move(resolver).finish();
}

std::string ResolvedSettings::place_of(const std::string& name) const {
  const auto origin = origins.find(name);
  return origin == origins.end() ? name : fmt::format("{} ({})", name, origin->second);
}

std::string print_settings(const ResolvedSettings& resolved) {
  std::string out;
  for (const auto& spec : setting_specs()) {
    const std::string value = redact_url_credentials(spec.get(resolved.settings));
    const auto origin = resolved.origins.find(std::string(spec.name));
    out += fmt::format("{} = {}  # {}\n", spec.name, spec.kind == SettingSpec::Kind::text ? toml_string(value) : value,
                       origin == resolved.origins.end() ? "default" : origin->second);
  }
  return out;
}

std::vector<std::string> settings_environment(const Settings& settings) {
  std::vector<std::string> out;
  for (const auto& spec : setting_specs()) out.push_back(spec.environment() + "=" + spec.get(settings));
  return out;
}

}  // namespace latchkey::config

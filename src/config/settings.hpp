#pragma once

// What an operator can set. One table (`setting_specs`) names every setting once; flags, environment names, names in
// latchkey.toml, help and --print-config derive from it. A value comes from the first of: flag (--keys-listen),
// environment (LATCHKEY_KEYS_LISTEN), file (keys_listen = "…"), default.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace latchkey::config {

struct Settings {
  std::string data_dir = "./latchkey-data";
  std::string keys_listen = "127.0.0.1:7070";
  std::string tokens_listen = "127.0.0.1:7071";
  std::string store = "sqlite";    // or a postgresql:// URL
  std::string stream = "none";     // or a redis:// URL
  std::string limiter = "local";   // or a redis:// URL
  bool limiter_fail_open = false;  // admit, and count, while a shared limiter cannot be reached
  std::string catalog;             // a JSON file; empty: the built-in one
  std::string tls_cert;            // PEM chain; with tls_key both services speak TLS
  std::string tls_key;             // PEM, without a password
  unsigned max_handshakes = 512;   // of TLS, unfinished at once, of each service
  unsigned threads = 0;            // I/O threads a service; load_settings() makes it the number of processors
  std::string io = "auto";         // or "io_uring", "epoll"
  /// Of the local limiter; one that finds no room is refused.
  std::size_t limiter_max_counters = std::size_t{1} << 24U;
  std::chrono::seconds max_staleness{30};
  std::chrono::seconds digest_interval{15 * 60};
  std::string rules;                                   // file with the [[rule]] tables; empty: no rules
  std::string trusted_proxies;                         // "10.0.0.0/8, unix"; empty: nobody
  std::string original_request = "path";               // or x-original, x-forwarded
  std::string client_address = "peer";                 // or x-forwarded-for
  std::string preflight = "refuse";                    // or pass
  std::string key_prefix;                              // before the access keys that are given out; empty: none
  std::string cors_origins;                            // of the management service; empty: none
  std::string notice_targets;                        // file with the [[notice_target]] tables; empty: none
  std::string replica_name;                            // for people; empty: the host's name
  std::string admin_keys;                              // file, PEM or JWKS; empty: the data directory's development key
  std::string admin_secret_file;                       // file with an HS256 secret
  std::string admin_oidc_issuer;                       // keys by discovery at this issuer
  std::string admin_oidc_client_id;                    // what the console is to that issuer; empty: it wants a token
  std::string admin_jwks_url;                          // or from this URL
  std::chrono::seconds admin_jwks_max_age{86'400};     // how long keys are believed after the last good fetch
  std::string admin_issuer;                            // empty: not checked
  std::string admin_audience;                          // empty: not checked
  std::string admin_role_claim = "role";               // a path: "realm_access.roles"
  std::string admin_roles;                             // "net-admins=admin,auditors=viewer"; empty: admin and viewer
  std::string admin_algorithms;                        // more than RS256 for RSA keys without an alg: "PS256,RS512"
  std::uint64_t request_log_max_bytes = 64U << 20U;    // then the file is rotated
  unsigned request_log_files = 5;                      // rotated files kept
  std::chrono::seconds usage_keep_minutes{48 * 3600};  // how long usage is kept by the minute,
  std::chrono::seconds usage_keep_hours{90 * 86'400};  // by the hour,
  std::chrono::seconds usage_keep_days{730 * 86'400};  // and by the day
  std::uint64_t usage_max_bytes = 1ULL << 30U;         // past which the oldest minutes go first
};

struct SettingSpec {
  std::string_view name;  // as in latchkey.toml: "keys_listen"
  std::string_view placeholder;
  std::string_view help;
  Result<void> (*set)(Settings&, std::string_view text);
  std::string (*get)(const Settings&);
  enum class Kind : std::uint8_t { text, number, boolean } kind = Kind::text;  // in TOML

  std::string flag() const;         // "--keys-listen"
  std::string environment() const;  // "LATCHKEY_KEYS_LISTEN"
};

std::span<const SettingSpec> setting_specs();

/// Everything settings can come from, as data, so that a test needs no process of its own.
struct SettingSources {
  std::map<std::string, std::string> flags;        // by SettingSpec::name
  std::map<std::string, std::string> environment;  // the variables that begin with LATCHKEY_
  std::optional<std::string> config_flag;          // --config FILE
};

struct ResolvedSettings {
  Settings settings;
  std::map<std::string, std::string> origins;  // by SettingSpec::name: "flag --x", "LATCHKEY_X", "file.toml", "default"

  /// "stream (LATCHKEY_STREAM)": a setting and where its value is from. What is no setting stays as it is.
  std::string place_of(const std::string& name) const;
};

/// The LATCHKEY_* variables of this process.
std::map<std::string, std::string> latchkey_environment();

/// The file is --config, else LATCHKEY_CONFIG (empty: none), else ./latchkey.toml where there is one.
/// All that is wrong at once in Error::fields: `pointer` says where ("LATCHKEY_THREADS", "latchkey.toml: threads").
/// Unknown names in the file and unknown LATCHKEY_* variables are errors.
Result<ResolvedSettings> load_settings(const SettingSources& sources);

/// latchkey.toml with these values, the source of each as a comment; passwords in URLs are hidden, and with them what
/// may be one: the rest of a URL that does not read as a place.
std::string print_settings(const ResolvedSettings& resolved);

/// "NAME=value" of every setting, as a child process needs them to resolve to the same.
std::vector<std::string> settings_environment(const Settings& settings);

}  // namespace latchkey::config

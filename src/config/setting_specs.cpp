#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/printable.hpp"
#include "base/time_text.hpp"
#include "config/settings.hpp"
#include "jwt/algorithm.hpp"
#include "jwt/role_claim.hpp"
#include "key/presented_form.hpp"

namespace latchkey::config {
namespace {

Error wrong(std::string why) { return Error(ErrorCode::invalid, std::move(why)); }

template <auto member>
Result<void> set_text(Settings& settings, std::string_view text) {
  settings.*member = text;
  return {};
}

template <auto member>
Result<void> set_required(Settings& settings, std::string_view text) {
  if (text.empty()) return wrong("must not be empty");
  return set_text<member>(settings, text);
}

Result<void> set_key_prefix(Settings& settings, std::string_view text) {
  if (!text.empty() && !is_key_prefix(text)) {
    return wrong(fmt::format("\"{}\" is not 1 to {} of a-z, 0-9 and _", printable(text), max_key_prefix_bytes));
  }
  return set_text<&Settings::key_prefix>(settings, text);
}

template <auto member, std::uint64_t least, std::uint64_t most>
Result<void> set_number(Settings& settings, std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return wrong(fmt::format("\"{}\" is not a whole number from {} to {}", text, least, most));
  }
  settings.*member = static_cast<std::remove_reference_t<decltype(settings.*member)>>(number);
  return {};
}

template <auto member>
Result<void> set_boolean(Settings& settings, std::string_view text) {
  if (text != "true" && text != "false") return wrong("must be true or false");
  settings.*member = text == "true";
  return {};
}

bool is_host_and_port(std::string_view text) {
  const auto colon = text.rfind(':');
  std::uint16_t port = 0;
  const std::string_view digits = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return colon != 0 && !digits.empty() && ec == std::errc() && end == digits.data() + digits.size();
}

// The shape only; whether the host is numeric, the port free and the path fit shows when the service listens.
template <auto member>
Result<void> set_listen(Settings& settings, std::string_view list) {
  std::string_view rest = list;
  for (bool more = true; more;) {
    const auto comma = rest.find(',');
    more = comma != std::string_view::npos;
    std::string_view text = rest.substr(0, comma);
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    if (!text.starts_with("unix:/") && !is_host_and_port(text)) {
      return wrong(fmt::format("\"{}\" is neither host:port nor unix:/path", text));
    }
    if (more) rest.remove_prefix(comma + 1);
  }
  return set_text<member>(settings, list);
}

Result<void> set_store(Settings& settings, std::string_view text) {
  const bool postgres = text.starts_with("postgresql://") || text.starts_with("postgres://");
  if (text == "sqlite" || postgres) return set_text<&Settings::store>(settings, text);
  return wrong("must be \"sqlite\" or a postgresql:// URL");
}

// What operators of Redis try next. The text repeats nothing of the URL, which may hold a password.
Error wrong_redis(std::string_view text, std::string_view usual) {
  if (text.starts_with("redis-cluster://")) {
    return wrong("Cluster is not supported: name a server as redis://, or its Sentinels as redis-sentinel://");
  }
  return wrong(
      fmt::format("must be \"{}\" or a redis://, rediss:// (TLS), redis-sentinel:// or rediss-sentinel:// URL", usual));
}

bool is_redis(std::string_view text) {
  constexpr std::string_view schemes[] = {"redis://", "rediss://", "redis-sentinel://", "rediss-sentinel://"};
  return std::ranges::any_of(schemes, [&](std::string_view scheme) { return text.starts_with(scheme); });
}

Result<void> set_stream(Settings& settings, std::string_view text) {
  if (text == "none" || is_redis(text)) return set_text<&Settings::stream>(settings, text);
  return wrong_redis(text, "none");
}

Result<void> set_limiter(Settings& settings, std::string_view text) {
  if (text == "local" || is_redis(text)) return set_text<&Settings::limiter>(settings, text);
  return wrong_redis(text, "local");
}

Result<void> set_io(Settings& settings, std::string_view text) {
  if (text == "auto" || text == "io_uring" || text == "epoll") return set_text<&Settings::io>(settings, text);
  return wrong("must be auto, io_uring or epoll");
}

template <auto member>
Result<void> set_duration(Settings& settings, std::string_view text) {
  const auto duration = parse_duration(text);
  if (!duration) return wrong(not_a_duration(text));
  settings.*member = *duration;
  return {};
}

Result<void> set_admin_roles(Settings& settings, std::string_view text) {
  const auto roles = jwt::parse_role_map(text);
  if (!text.empty() && !roles) return wrong(roles.error().detail);
  return set_text<&Settings::admin_roles>(settings, text);
}

Result<void> set_admin_algorithms(Settings& settings, std::string_view text) {
  const auto algorithms = jwt::parse_rsa_algorithms(text);
  if (!text.empty() && !algorithms) return wrong(algorithms.error().detail);
  return set_text<&Settings::admin_algorithms>(settings, text);
}

Result<void> set_replica_name(Settings& settings, std::string_view text) {
  if (text.size() > 100 || !is_printable(text)) return wrong("must be UTF-8 text of at most 100 bytes");
  return set_text<&Settings::replica_name>(settings, text);
}

template <auto member, const std::array<std::string_view, 3>& words>
Result<void> set_word(Settings& settings, std::string_view text) {
  if (text.empty() || std::find(words.begin(), words.end(), text) == words.end()) {
    const bool two = words[2].empty();
    return wrong(
        fmt::format("must be {}{}{} or {}", words[0], two ? "" : ", ", two ? "" : words[1], words[two ? 1 : 2]));
  }
  return set_text<member>(settings, text);
}

constexpr std::array<std::string_view, 3> original_requests = {"path", "x-original", "x-forwarded"};
constexpr std::array<std::string_view, 3> client_addresses = {"peer", "x-forwarded-for", ""};
constexpr std::array<std::string_view, 3> preflights = {"refuse", "pass", ""};

template <auto member>
std::string get_text(const Settings& settings) {
  return settings.*member;
}

template <auto member>
std::string get_number(const Settings& settings) {
  return std::to_string(settings.*member);
}

template <auto member>
std::string get_boolean(const Settings& settings) {
  return settings.*member ? "true" : "false";
}

template <auto member>
std::string get_duration(const Settings& settings) {
  return fmt::format("{}s", (settings.*member).count());
}

using S = Settings;
constexpr auto number = SettingSpec::Kind::number;
constexpr auto boolean = SettingSpec::Kind::boolean;

const std::array specs{
    SettingSpec{"data_dir", "DIR", "Where database, secrets and logs live", set_required<&S::data_dir>,
                get_text<&S::data_dir>},
    SettingSpec{"keys_listen", "LIST",
                "Addresses of Access Key Management, host:port or unix:/path?mode=0660&group=NAME",
                set_listen<&S::keys_listen>, get_text<&S::keys_listen>},
    SettingSpec{"tokens_listen", "LIST", "Addresses of Token Information, likewise", set_listen<&S::tokens_listen>,
                get_text<&S::tokens_listen>},
    SettingSpec{"store", "ENGINE", "\"sqlite\" or a postgresql:// URL", set_store, get_text<&S::store>},
    SettingSpec{"stream", "ENGINE", "\"none\" or a URL of Redis: redis://, rediss://, redis-sentinel://", set_stream,
                get_text<&S::stream>},
    SettingSpec{"limiter", "ENGINE", "\"local\" or a URL of Redis: redis://, rediss://, redis-sentinel://", set_limiter,
                get_text<&S::limiter>},
    SettingSpec{"limiter_fail_open", "true|false", "Admit while a shared limiter cannot be reached; false: answer 503",
                set_boolean<&S::limiter_fail_open>, get_boolean<&S::limiter_fail_open>, boolean},
    SettingSpec{"limiter_max_counters", "N", "Counters of the local limiter, of keys and users; without room: 503",
                set_number<&S::limiter_max_counters, 1, 67'108'864>, get_number<&S::limiter_max_counters>, number},
    SettingSpec{"catalog", "FILE", "Token information as JSON; built in if empty", set_text<&S::catalog>,
                get_text<&S::catalog>},
    SettingSpec{"tls_cert", "FILE", "Certificate chain (PEM); with tls_key both services speak TLS",
                set_text<&S::tls_cert>, get_text<&S::tls_cert>},
    SettingSpec{"tls_key", "FILE", "Private key of the certificate (PEM)", set_text<&S::tls_key>,
                get_text<&S::tls_key>},
    SettingSpec{"max_handshakes", "N", "Unfinished TLS handshakes of each service; above, the oldest is ended",
                set_number<&S::max_handshakes, 1, 100'000>, get_number<&S::max_handshakes>, number},
    SettingSpec{"threads", "N", "I/O threads of each service; 0: one a processor", set_number<&S::threads, 0, 1024>,
                get_number<&S::threads>, number},
    SettingSpec{"io", "ENGINE", "auto, io_uring or epoll; auto: io_uring where the kernel allows it", set_io,
                get_text<&S::io>},
    SettingSpec{"max_staleness", "DURATION", "Refuse once the view is older", set_duration<&S::max_staleness>,
                get_duration<&S::max_staleness>},
    SettingSpec{"digest_interval", "DURATION", "How often a replica compares its rows with the store's",
                set_duration<&S::digest_interval>, get_duration<&S::digest_interval>},
    SettingSpec{"notice_targets", "FILE", "File with the [[notice_target]] tables: where notices are sent",
                set_text<&S::notice_targets>, get_text<&S::notice_targets>},
    SettingSpec{"rules", "FILE", "File with the [[rule]] tables; the configuration file unless set",
                set_text<&S::rules>, get_text<&S::rules>},
    SettingSpec{"trusted_proxies", "LIST", "Networks of proxies with headers to believe, and \"unix\"",
                set_text<&S::trusted_proxies>, get_text<&S::trusted_proxies>},
    SettingSpec{"original_request", "SOURCE", "Where a proxy says what it asks about: path, x-original, x-forwarded",
                set_word<&S::original_request, original_requests>, get_text<&S::original_request>},
    SettingSpec{"client_address", "SOURCE", "The source of a client's address: peer, x-forwarded-for",
                set_word<&S::client_address, client_addresses>, get_text<&S::client_address>},
    SettingSpec{"preflight", "WORD", "A browser's preflight at /v1/authorize: refuse, pass",
                set_word<&S::preflight, preflights>, get_text<&S::preflight>},
    SettingSpec{"key_prefix", "TEXT", "Stands before each access key that is given out, such as acme_live_",
                set_key_prefix, get_text<&S::key_prefix>},
    SettingSpec{"cors_origins", "LIST", "Origins of pages that may use Access Key Management",
                set_text<&S::cors_origins>, get_text<&S::cors_origins>},
    SettingSpec{"replica_name", "TEXT", "What this replica is called in `latchkey replicas`; the host's name if empty",
                set_replica_name, get_text<&S::replica_name>},
    SettingSpec{"admin_keys", "FILE", "Public keys of admin tokens, PEM or JWKS", set_text<&S::admin_keys>,
                get_text<&S::admin_keys>},
    SettingSpec{"admin_secret_file", "FILE", "Secret of admin tokens: HS256, from 48 bytes HS384, from 64 HS512",
                set_text<&S::admin_secret_file>, get_text<&S::admin_secret_file>},
    SettingSpec{"admin_oidc_issuer", "URL", "Issuer of admin tokens; its keys are found by OpenID discovery",
                set_text<&S::admin_oidc_issuer>, get_text<&S::admin_oidc_issuer>},
    SettingSpec{"admin_oidc_client_id", "TEXT", "Client id of the console at that issuer, which then signs in there",
                set_text<&S::admin_oidc_client_id>, get_text<&S::admin_oidc_client_id>},
    SettingSpec{"admin_jwks_url", "URL", "JWK Set of admin tokens, instead of discovery", set_text<&S::admin_jwks_url>,
                get_text<&S::admin_jwks_url>},
    SettingSpec{"admin_jwks_max_age", "DURATION", "How long fetched keys are believed while no fetch succeeds",
                set_duration<&S::admin_jwks_max_age>, get_duration<&S::admin_jwks_max_age>},
    SettingSpec{"admin_issuer", "TEXT", "Required issuer of admin tokens", set_text<&S::admin_issuer>,
                get_text<&S::admin_issuer>},
    SettingSpec{"admin_audience", "TEXT", "Required audience of admin tokens", set_text<&S::admin_audience>,
                get_text<&S::admin_audience>},
    SettingSpec{"admin_role_claim", "PATH", "Claim that gives the role, such as realm_access.roles",
                set_required<&S::admin_role_claim>, get_text<&S::admin_role_claim>},
    SettingSpec{"admin_roles", "LIST", "What its values give: net-admins=admin,auditors=viewer", set_admin_roles,
                get_text<&S::admin_roles>},
    SettingSpec{"admin_algorithms", "LIST", "Of RSA keys without an alg, beside RS256: PS256,RS512",
                set_admin_algorithms, get_text<&S::admin_algorithms>},
    SettingSpec{"request_log_max_bytes", "N", "Size at which the request log is rotated",
                set_number<&S::request_log_max_bytes, 65'536, (1ULL << 40U)>, get_number<&S::request_log_max_bytes>,
                number},
    SettingSpec{"request_log_files", "N", "Rotated request logs to keep", set_number<&S::request_log_files, 1, 1000>,
                get_number<&S::request_log_files>, number},
    SettingSpec{"usage_keep_minutes", "DURATION", "How long usage is kept by the minute",
                set_duration<&S::usage_keep_minutes>, get_duration<&S::usage_keep_minutes>},
    SettingSpec{"usage_keep_hours", "DURATION", "How long usage is kept by the hour",
                set_duration<&S::usage_keep_hours>, get_duration<&S::usage_keep_hours>},
    SettingSpec{"usage_keep_days", "DURATION", "How long usage is kept by the day", set_duration<&S::usage_keep_days>,
                get_duration<&S::usage_keep_days>},
    SettingSpec{"usage_max_bytes", "N", "Size of stored usage past which the oldest minutes go, then hours, then days",
                set_number<&S::usage_max_bytes, 1'048'576, (1ULL << 50U)>, get_number<&S::usage_max_bytes>, number},
};

}  // namespace

std::span<const SettingSpec> setting_specs() { return specs; }

std::string SettingSpec::flag() const {
  std::string text = "--" + std::string(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

std::string SettingSpec::environment() const {
  std::string text = "LATCHKEY_" + std::string(name);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

}  // namespace latchkey::config

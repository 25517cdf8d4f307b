#include "redis/address.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <tuple>

namespace latchkey::redis {
namespace {

constexpr std::size_t max_url_bytes = 2048;
constexpr unsigned max_database = 16'383;
constexpr std::size_t most_sentinels = 16;
constexpr std::uint16_t sentinel_port = 26'379;

struct Scheme {
  std::string_view text;
  bool tls;
  bool by_sentinel;
};
constexpr Scheme schemes[] = {{"redis://", false, false},
                              {"rediss://", true, false},
                              {"redis-sentinel://", false, true},
                              {"rediss-sentinel://", true, true}};

Error wrong(std::string why) { return Error(ErrorCode::invalid, "not a Redis URL: " + std::move(why)); }

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned char byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

/// What comes before the separator; `rest` is what comes after it, or nothing.
std::string_view cut(std::string_view& rest, char separator) {
  const auto at = std::min(rest.find(separator), rest.size());
  const auto before = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return before;
}

Result<void> take_credentials(std::string_view text, Address& address) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return wrong("credentials are user:password or :password");
  auto user = percent_decoded(text.substr(0, colon));
  auto password = percent_decoded(text.substr(colon + 1));
  if (!user || !password) return wrong("'%' in user or password begins two hex digits");
  if (password->empty()) return wrong("the password is empty");
  address.user = std::move(*user);
  address.password = Secret(std::move(*password));
  return {};
}

Result<Endpoint> endpoint_of(std::string_view text, std::uint16_t usual_port) {
  Endpoint endpoint{"", usual_port};
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return wrong("'[' without ']'");
    endpoint.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    endpoint.host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  if (endpoint.host.empty()) return wrong("there is no host");
  if (endpoint.host.find('\0') != std::string::npos) return wrong("the host holds a zero byte");
  if (rest.empty()) return endpoint;
  if (!rest.starts_with(':') || !read_number(rest.substr(1), endpoint.port) || endpoint.port == 0) {
    return wrong("the port is not a number from 1 to 65535");
  }
  return endpoint;
}

Result<void> take_sentinels(std::string_view hosts, Address& address) {
  while (!hosts.empty()) {
    auto endpoint = endpoint_of(cut(hosts, ','), sentinel_port);
    if (!endpoint) return endpoint.error();
    address.sentinels.push_back(std::move(*endpoint));
  }
  if (address.sentinels.empty()) return wrong("there is no host");
  if (address.sentinels.size() > most_sentinels)
    return wrong(fmt::format("it names more than {} hosts", most_sentinels));
  return {};
}

/// What Redis takes as the name of a primary.
bool is_primary_name(std::string_view text) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  };
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), good);
}

Result<void> take_database(std::string_view text, Address& address) {
  if (!text.empty() && (!read_number(text, address.database) || address.database > max_database)) {
    return wrong("the database is not a number");
  }
  return {};
}

Result<void> take_place(std::string_view text, const Scheme& scheme, Address& address) {
  const auto hosts = cut(text, '/');
  if (!scheme.by_sentinel) {
    if (auto taken = take_database(text, address); !taken) return taken;
    auto server = endpoint_of(hosts, Endpoint().port);
    if (!server) return server.error();
    address.server = std::move(*server);
    return {};
  }
  if (auto taken = take_sentinels(hosts, address); !taken) return taken;
  const auto primary = cut(text, '/');
  if (!is_primary_name(primary))
    return wrong("what the Sentinels call the primary comes after the hosts: host,host/NAME");
  address.primary = primary;
  return take_database(text, address);
}

Result<void> take_parameter(std::string_view text, const Scheme& scheme, Address& address) {
  const auto name = cut(text, '=');
  auto value = percent_decoded(text);
  if (!value || value->empty() || value->find('\0') != std::string::npos) {
    return wrong("a parameter is NAME=VALUE, where '%' begins two hex digits");
  }
  const std::tuple<std::string_view, bool, std::string*> texts[] = {
      {"ca", scheme.tls, address.tls ? &address.tls->authorities : nullptr},
      {"name", scheme.tls, address.tls ? &address.tls->name : nullptr},
      {"cert", scheme.tls, address.tls ? &address.tls->certificate : nullptr},
      {"key", scheme.tls, address.tls ? &address.tls->key : nullptr},
      {"sentinel-user", scheme.by_sentinel, &address.sentinel_user}};
  for (const auto& [known, applies, target] : texts) {
    if (known != name || !applies) continue;
    if (!target->empty()) return wrong(fmt::format("{} is said twice", known));
    *target = std::move(*value);
    return {};
  }
  if (name == "sentinel-password" && scheme.by_sentinel) {
    address.sentinel_password = Secret(std::move(*value));
    return {};
  }
  return wrong(
      "of parameters there are ca, name, cert and key with rediss:// and rediss-sentinel://, and sentinel-user and "
      "sentinel-password with Sentinels");
}

Result<void> take_query(std::string_view text, const Scheme& scheme, Address& address) {
  while (!text.empty()) {
    if (auto taken = take_parameter(cut(text, '&'), scheme, address); !taken) return taken;
  }
  if (address.tls && address.tls->certificate.empty() != address.tls->key.empty()) {
    return wrong("cert and key come together");
  }
  if (!address.sentinel_user.empty() && address.sentinel_password.empty()) {
    return wrong("sentinel-user needs sentinel-password");
  }
  return {};
}

}  // namespace

std::string Endpoint::to_string() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", ipv6 ? "[" : "", host, ipv6 ? "]" : "", port);
}

Result<Address> Address::parse(std::string_view url) {
  const auto* const scheme =
      std::find_if(std::begin(schemes), std::end(schemes), [&](const Scheme& s) { return url.starts_with(s.text); });
  if (scheme == std::end(schemes)) {
    return wrong("it begins with none of redis://, rediss://, redis-sentinel:// and rediss-sentinel://");
  }
  if (url.size() > max_url_bytes) return wrong(fmt::format("it is longer than {} bytes", max_url_bytes));
  std::string_view rest = url.substr(scheme->text.size());
  Address address;
  if (scheme->tls) address.tls.emplace();
  // A password may hold '?' and '/', so the place begins after the last '@'.
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    if (auto taken = take_credentials(rest.substr(0, at), address); !taken) return taken.error();
    rest.remove_prefix(at + 1);
  }
  const auto place = cut(rest, '?');
  if (auto taken = take_place(place, *scheme, address); !taken) return taken.error();
  if (auto taken = take_query(rest, *scheme, address); !taken) return taken.error();
  return address;
}

std::string Address::to_string() const {
  if (sentinels.empty()) return fmt::format("{}/{}", server.to_string(), database);
  std::vector<std::string> hosts;
  for (const Endpoint& each : sentinels) hosts.push_back(each.to_string());
  return fmt::format("{}/{} of {}", primary, database, fmt::join(hosts, ","));
}

Address Address::at(Endpoint endpoint) const {
  Address direct = *this;
  direct.server = std::move(endpoint);
  direct.sentinels.clear();
  direct.primary.clear();
  return direct;
}

Address Address::sentinel(std::size_t number) const {
  Address direct = at(sentinels.at(number));
  direct.user = sentinel_user;
  direct.password = sentinel_password;
  direct.database = 0;
  return direct;
}

}  // namespace latchkey::redis

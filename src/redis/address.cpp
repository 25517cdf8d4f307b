#include "redis/address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace latchkey::redis {
namespace {

constexpr std::string_view scheme = "redis://";
constexpr std::size_t max_url_bytes = 1024;
constexpr unsigned max_database = 16'383;

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

Result<void> take_host_and_port(std::string_view text, Address& address) {
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return wrong("'[' without ']'");
    address.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    address.host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  if (address.host.empty()) return wrong("there is no host");
  if (address.host.find('\0') != std::string::npos) return wrong("the host holds a zero byte");
  if (rest.empty()) return {};
  if (!rest.starts_with(':') || !read_number(rest.substr(1), address.port) || address.port == 0) {
    return wrong("the port is not a number from 1 to 65535");
  }
  return {};
}

}  // namespace

Result<Address> Address::parse(std::string_view url) {
  if (url.starts_with("rediss://")) return wrong("TLS (rediss://) is not supported");
  if (!url.starts_with(scheme)) return wrong("it does not begin with redis://");
  if (url.size() > max_url_bytes) return wrong(fmt::format("it is longer than {} bytes", max_url_bytes));
  std::string_view rest = url.substr(scheme.size());
  Address address;
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    if (auto taken = take_credentials(rest.substr(0, at), address); !taken) return taken.error();
    rest.remove_prefix(at + 1);
  }
  const auto slash = std::min(rest.find('/'), rest.size());
  const std::string_view database = rest.substr(std::min(slash + 1, rest.size()));
  if (!database.empty() && (!read_number(database, address.database) || address.database > max_database)) {
    return wrong("the database is not a number");
  }
  if (auto taken = take_host_and_port(rest.substr(0, slash), address); !taken) return taken.error();
  return address;
}

std::string Address::to_string() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}/{}", ipv6 ? "[" : "", host, ipv6 ? "]" : "", port, database);
}

}  // namespace latchkey::redis

#include "store/postgres/url.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <memory>

namespace latchkey::store::postgres {
namespace {

// Seconds, but tcp_user_timeout: a peer that fell silent is noticed within about 20 s even where nothing resets the
// connection.
constexpr std::pair<std::string_view, std::string_view> defaults[] = {
    {"connect_timeout", "5"},
    {"keepalives_idle", "5"},
    {"keepalives_interval", "5"},
    {"keepalives_count", "3"},
    {"client_encoding", "UTF8"},
    {"tcp_user_timeout", "15000"},
    {"fallback_application_name", "latchkey"},
};

bool is_number(std::string_view text) {
  return text.size() < 6 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A password with a bare '/' or '@' moves its rest into the host, the port or the database's name, which errors quote.
bool is_torn(std::string_view host, std::string_view port, std::string_view database) {
  for (std::size_t at = 0; at <= port.size();) {
    const std::size_t comma = std::min(port.find(',', at), port.size());
    if (!is_number(port.substr(at, comma - at))) return true;
    at = comma + 1;
  }
  return host.contains('@') || database.contains('@');
}

Error unreadable(std::string why) {
  return Error(ErrorCode::invalid, "the postgresql:// URL cannot be read: " + std::move(why));
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  if (!text.starts_with("postgresql://") && !text.starts_with("postgres://")) {
    return unreadable("it must begin with postgresql:// or postgres://");
  }
  char* why = nullptr;  // libpq's words quote the URL
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfoParse(std::string(text).c_str(), &why), PQconninfoFree);
  PQfreemem(why);
  constexpr const char* hint =
      "its parameters are those of libpq, and special characters in a password are percent-encoded";
  if (!options) return unreadable(hint);
  Url url;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) url.parameters_.push_back({option->keyword, option->val});
  }
  if (is_torn(url.value_of("host"), url.value_of("port"), url.value_of("dbname"))) return unreadable(hint);
  for (const auto& [name, value] : defaults) url.set_default(name, value);
  url.set_default("target_session_attrs", "");
  return url;
}

std::string_view Url::value_of(std::string_view name) const {
  const auto found =
      std::find_if(parameters_.begin(), parameters_.end(), [&](const Parameter& p) { return p.name == name; });
  return found == parameters_.end() ? std::string_view() : found->value;
}

void Url::set_default(std::string_view name, std::string_view value) {
  if (value_of(name).empty()) parameters_.push_back({std::string(name), std::string(value)});
}

std::vector<const char*> Url::names() const {
  std::vector<const char*> names;
  for (const auto& parameter : parameters_) names.push_back(parameter.name.c_str());
  names.push_back(nullptr);
  return names;
}

std::vector<const char*> Url::values(Server server) const {
  std::vector<const char*> values;
  for (const auto& [name, value] : parameters_) {
    const bool unsaid = name == "target_session_attrs" && value.empty();
    values.push_back(unsaid ? (server == Server::primary ? "read-write" : "any") : value.c_str());
  }
  values.push_back(nullptr);
  return values;
}

std::string Url::place() const {
  std::string place = "postgresql";
  for (const char* name : {"host", "hostaddr", "port", "dbname", "options"})
    place += fmt::format(" {}={}", name, value_of(name));
  return place;
}

std::string Url::without_password(std::string text) const {
  const std::string_view password = value_of("password");
  if (password.empty()) return text;
  for (std::size_t at = text.find(password); at != std::string::npos; at = text.find(password, at)) {
    text.replace(at, password.size(), "***");
    at += 3;
  }
  return text;
}

}  // namespace latchkey::store::postgres

#include "catalog/catalog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json.hpp"
#include "base/regular_file.hpp"

namespace latchkey::embedded {
extern const std::string_view catalog_tokens;
}

namespace latchkey::catalog {
namespace {

struct Wrong {
  std::string member;  // of the token, or empty
  std::string why;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alphanumeric(char c) { return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z'); }
bool is_symbol_char(char c) { return is_digit(c) || is_upper(c) || c == '.' || c == '_' || c == '-'; }
bool is_visible(char c) { return c > ' ' && c < 0x7f; }
bool is_text_char(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; }

using IsAllowed = bool (*)(char);

struct TextRule {
  std::size_t max_bytes;
  IsAllowed allowed;
  std::string_view says;
};

constexpr TextRule symbol_rule = {max_symbol_bytes, is_symbol_char, "must be 1 to 20 of A-Z 0-9 . _ -"};
constexpr TextRule text_rule = {64, is_text_char, "must be 1 to 64 bytes without control characters"};
constexpr TextRule address_rule = {128, is_alphanumeric, "must be null or 1 to 128 letters and digits"};
constexpr TextRule website_rule = {256, is_visible, "must be an http or https address of at most 256 characters"};

bool meets(const TextRule& rule, const json::value& value) {
  if (!value.is_string()) return false;
  const auto& text = value.get_string();
  return !text.empty() && text.size() <= rule.max_bytes && std::all_of(text.begin(), text.end(), rule.allowed);
}

bool is_web_address(const json::value& value) {
  if (!meets(website_rule, value)) return false;
  const std::string_view text = value.get_string();
  const auto host = text.starts_with("https://") ? text.substr(8) : text.starts_with("http://") ? text.substr(7) : "";
  return !host.empty() && host.front() != '/';
}

bool is_decimals(const json::value& value) {
  const auto* number = value.if_int64();
  return number != nullptr && *number >= 0 && *number <= 36;
}

struct Member {
  std::string_view name;
  bool (*good)(const json::value&);
  std::string_view says;
};

// In the order in which they are served.
constexpr std::array<Member, 6> members = {{
    {"symbol", [](const json::value& v) { return meets(symbol_rule, v); }, symbol_rule.says},
    {"name", [](const json::value& v) { return meets(text_rule, v); }, text_rule.says},
    {"network", [](const json::value& v) { return meets(text_rule, v); }, text_rule.says},
    {"contractAddress", [](const json::value& v) { return v.is_null() || meets(address_rule, v); }, address_rule.says},
    {"decimals", is_decimals, "must be a whole number from 0 to 36"},
    {"website", is_web_address, website_rule.says},
}};

std::string escaped_pointer(std::string_view name) {
  std::string out = "/";
  for (const char c : name.substr(0, 64)) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

Result<void, Wrong> check_token(const json::value& value) {
  const auto* token = value.if_object();
  if (token == nullptr) return Wrong{"", "must be an object"};
  for (const auto& member : members) {
    const auto* found = token->if_contains(member.name);
    if (found == nullptr) return Wrong{escaped_pointer(member.name), "is missing"};
    if (!member.good(*found)) return Wrong{escaped_pointer(member.name), std::string(member.says)};
  }
  for (const auto& entry : *token) {
    const std::string_view name = entry.key();
    const auto known = [&](const Member& m) { return m.name == name; };
    if (std::none_of(members.begin(), members.end(), known)) return Wrong{escaped_pointer(name), "is not known"};
  }
  return {};
}

std::string to_json(const json::object& token) {
  std::string out;
  for (const auto& member : members) {
    const auto& value = token.at(member.name);
    out.append(out.empty() ? "{\"" : ",\"").append(member.name).append("\":");
    if (value.is_string()) {
      append_json_string(out, value.get_string());
    } else {
      out += value.is_null() ? "null" : std::to_string(value.get_int64());
    }
  }
  return out += '}';
}

Error wrong_at(std::string pointer, std::string_view why) {
  const std::string text = fmt::format("{}: {}", pointer.empty() ? "the catalog" : pointer, why);
  Error error(ErrorCode::invalid, text, text);
  error.fields.push_back({std::move(pointer), std::string(why)});
  return error;
}

Result<const json::array*> tokens_of(const json::value& document) {
  const auto* object = document.if_object();
  const auto* tokens = object != nullptr ? object->if_contains("tokens") : nullptr;
  if (tokens == nullptr || !tokens->is_array()) return wrong_at("", "must be an object with the array \"tokens\"");
  if (object->size() != 1) return wrong_at("", "has other members than \"tokens\"");
  if (tokens->get_array().size() > max_tokens)
    return wrong_at("/tokens", fmt::format("has over {} tokens", max_tokens));
  return &tokens->get_array();
}

}  // namespace

Result<std::shared_ptr<const Catalog>> Catalog::parse(std::string_view text) {
  if (text.size() > max_catalog_bytes) return wrong_at("", fmt::format("is over {} bytes", max_catalog_bytes));
  const auto document = parse_json(text);
  if (!document) return wrong_at("", document.error().detail);
  const auto tokens = tokens_of(*document);
  if (!tokens) return tokens.error();
  const auto catalog = std::make_shared<Catalog>();
  catalog->list_ = "{\"tokens\":[";
  std::size_t index = 0;
  for (const auto& value : **tokens) {
    const std::string place = fmt::format("/tokens/{}", index++);
    if (const auto good = check_token(value); !good) return wrong_at(place + good.error().member, good.error().why);
    const std::string token = to_json(value.get_object());
    const std::string_view symbol = value.get_object().at("symbol").get_string();
    if (!catalog->tokens_.emplace(symbol, token).second) return wrong_at(place + "/symbol", "came before");
    catalog->list_.append(catalog->list_.back() == '[' ? "" : ",").append(token);
  }
  catalog->list_ += "]}";
  return std::shared_ptr<const Catalog>(catalog);
}

Result<std::shared_ptr<const Catalog>> Catalog::load(const std::string& path) {
  const auto text = read_regular(path, max_catalog_bytes, Links::follow);
  if (!text) return text.error();
  return parse(*text);
}

std::shared_ptr<const Catalog> Catalog::built_in() {
  static const std::shared_ptr<const Catalog> catalog = parse(embedded::catalog_tokens).value();
  return catalog;
}

std::string_view Catalog::find_json(std::string_view symbol) const {
  std::array<char, max_symbol_bytes> upper{};
  if (symbol.size() > upper.size()) return {};
  std::transform(symbol.begin(), symbol.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  const auto found = tokens_.find(std::string_view(upper.data(), symbol.size()));
  return found != tokens_.end() ? std::string_view(found->second) : std::string_view();
}

}  // namespace latchkey::catalog

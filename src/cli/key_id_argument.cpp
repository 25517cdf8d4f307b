#include "cli/key_id_argument.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/key_commands.hpp"
#include "jwt/base64url.hpp"

namespace latchkey::cli {
namespace {

constexpr std::size_t whole_id_length = 36;
constexpr std::size_t most_listed = 10;
constexpr std::array short_id_columns{Column{"KEY ID", "keyId"}, Column{"USER", "userId"}, Column{"NAME", "name"},
                                      Column{"STATUS", "status"}};

bool is_hyphen_place(std::size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

std::string short_id_page(std::string_view short_id) {
  std::string path = fmt::format("/v1/keys?order=oldest&limit={}", most_listed + 1);
  if (const auto before = id_before(short_id)) path += "&cursor=" + jwt::encode_base64url(before->bytes());
  return path;
}

/// Those of the page with an id that begins so.
json::array keys_that_begin(const json::value& page, std::string_view short_id) {
  json::array found;
  const auto* object = page.if_object();
  const auto* keys = object == nullptr ? nullptr : object->if_contains("keys");
  if (keys == nullptr || !keys->is_array()) return found;
  for (const auto& key : keys->as_array()) {
    const auto* id = key.is_object() ? key.as_object().if_contains("keyId") : nullptr;
    if (id != nullptr && id->is_string() && std::string_view(id->as_string()).starts_with(short_id))
      found.push_back(key);
  }
  return found;
}

int several(std::string_view short_id, const json::array& keys) {
  fmt::print(stderr, "{}", render_table(keys, short_id_columns));
  return complain(Error(ErrorCode::invalid, fmt::format("{}{} keys have an id that begins with {}: give more of it",
                                                        keys.size() > most_listed ? "more than " : "",
                                                        std::min(keys.size(), most_listed), short_id)));
}

}  // namespace

std::optional<std::string> short_id_of(std::string_view text) {
  std::string id;
  for (const char c : text) {
    if (c == '-') continue;
    const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!digit || id.size() == whole_id_length) return std::nullopt;
    if (is_hyphen_place(id.size())) id += '-';
    id += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return id.size() >= least_short_id ? std::optional(id) : std::nullopt;
}

std::optional<KeyId> id_before(std::string_view short_id) {
  // The first id that begins so, and one less; the bits for version and variant are the same in all.
  std::string first = "00000000-0000-7000-8000-000000000000";
  std::copy(short_id.begin(), short_id.end(), first.begin());
  const auto id = KeyId::parse(first);
  if (!id) return std::nullopt;
  KeyId::Bytes bytes = id->bytes();
  for (std::size_t i = bytes.size(); i-- > 0;) {
    const auto own = static_cast<std::uint8_t>(i == 6 ? 0x0f : i == 8 ? 0x3f : 0xff);
    if ((bytes[i] & own) != 0) {
      --bytes[i];
      return KeyId(bytes);
    }
    bytes[i] |= own;
  }
  return std::nullopt;
}

std::optional<int> complete_key_id(const Invocation& invocation, std::string& id) {
  if (id.size() >= whole_id_length) return std::nullopt;
  const auto begins = short_id_of(id);
  if (!begins) {
    return complain(
        Error(ErrorCode::invalid, "a key's id is 36 characters, or at least its first 8: hex digits and hyphens"));
  }
  json::array found;
  const int code = call_as_admin(invocation, {"GET", short_id_page(*begins), std::nullopt, {}},
                                 [&](const json::value& page) { found = keys_that_begin(page, *begins); });
  if (code != exit_done) return code;
  if (found.empty())
    return complain(Error(ErrorCode::not_found, fmt::format("no key has an id that begins with {}", *begins)));
  if (found.size() > 1) return several(*begins, found);
  id = std::string(found[0].as_object().at("keyId").as_string());
  return std::nullopt;
}

}  // namespace latchkey::cli

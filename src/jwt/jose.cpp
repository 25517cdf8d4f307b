#include "jwt/jose.hpp"

#include <algorithm>
#include <array>

#include "jwt/base64url.hpp"
#include "jwt/minted_form.hpp"

namespace latchkey::jwt {
namespace {

constexpr std::array<std::string_view, 8> forbidden_members = {"jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"};

bool has_forbidden_member(const json::object& header) {
  return std::any_of(forbidden_members.begin(), forbidden_members.end(),
                     [&](std::string_view name) { return header.contains(name); });
}

bool is_none(std::string_view alg) {
  constexpr std::string_view none = "none";
  return std::equal(alg.begin(), alg.end(), none.begin(), none.end(), [](char a, char b) { return (a | 0x20) == b; });
}

// True if the member is absent or a string; then `out` holds it.
bool read_optional_string(const json::object& object, std::string_view name, std::optional<std::string>& out) {
  if (!object.contains(name)) return true;
  const auto text = string_member(object, name);
  if (text) out = std::string(*text);
  return text.has_value();
}

}  // namespace

std::optional<CompactJws> split_compact(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  const CompactJws jws{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
                       token.substr(0, second)};
  if (jws.header.empty() || jws.payload.empty() || jws.signature.empty()) return std::nullopt;
  return jws;
}

std::optional<JoseHeader> read_jose_header(std::string_view encoded) {
  if (auto kid = kid_of_minted_header(encoded)) return JoseHeader{"EdDSA", std::move(kid), "latchkey+jwt"};
  const auto object = read_json_part(encoded);
  if (!object || has_forbidden_member(*object)) return std::nullopt;
  const auto alg = string_member(*object, "alg");
  if (!alg || is_none(*alg)) return std::nullopt;
  JoseHeader header{std::string(*alg), std::nullopt, std::nullopt};
  if (!read_optional_string(*object, "kid", header.kid) || !read_optional_string(*object, "typ", header.typ)) {
    return std::nullopt;
  }
  return header;
}

std::optional<json::object> read_json_part(std::string_view encoded, std::size_t max_depth) {
  const auto text = decode_base64url(encoded);
  return text ? read_json_object(*text, max_depth) : std::nullopt;
}

std::optional<json::object> read_json_object(std::string_view text, std::size_t max_depth) {
  auto value = parse_json(text, max_depth);
  if (!value || !value->is_object()) return std::nullopt;
  return std::move(value->as_object());
}

std::optional<std::string_view> string_member(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  const auto* text = value ? value->if_string() : nullptr;
  if (!text) return std::nullopt;
  return std::string_view(text->data(), text->size());
}

}  // namespace latchkey::jwt

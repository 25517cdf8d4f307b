#pragma once

// What every JWT here has in common: a JWS in compact form (RFC 7515, 7.1) of two JSON objects and a signature.

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace latchkey::jwt {

/// "header.payload.signature", each part still base64url and none empty. Views point into the token.
struct CompactJws {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signing_input;  // "header.payload", what was signed
};

/// nullopt unless there are exactly three parts, none of them empty.
std::optional<CompactJws> split_compact(std::string_view token);

/// The members we act on. `typ` is compared by the caller: of access keys, which we make ourselves, exactly and
/// with case, so that no two readers disagree; of admin tokens as the media type that it is (RFC 7515, 4.1.9).
struct JoseHeader {
  std::string alg;  // compared with what the key is for, never used to choose how to verify
  std::optional<std::string> kid;
  std::optional<std::string> typ;
};

/// nullopt for what is no strict base64url of a JSON object, for a repeated member, for an `alg` that is missing, not a
/// string or "none" in any case, for a `kid` or `typ` that is not a string, and for members that would bring their own
/// key or change what the signature covers: jwk, jku, x5u, x5c, crit, b64, zip, enc. Other members are ignored.
std::optional<JoseHeader> read_jose_header(std::string_view encoded);

constexpr std::size_t shallow_depth = 8;  // of what is read before its signature, and of access keys

/// One JSON object in strict base64url; nullopt for anything else, repeated members included.
std::optional<json::object> read_json_part(std::string_view encoded, std::size_t max_depth = shallow_depth);
/// The same of text that has been decoded.
std::optional<json::object> read_json_object(std::string_view text, std::size_t max_depth = shallow_depth);

/// The member if it is there and a string; the view lives as long as the object.
std::optional<std::string_view> string_member(const json::object& object, std::string_view name);

}  // namespace latchkey::jwt

#include "keys_service/request_parts.hpp"

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/json_text.hpp"
#include "http/ascii.hpp"
#include "jwt/digest.hpp"

namespace latchkey::keys_service {
namespace {

using http::equals_ignoring_case;

/// The user that a query names instead of the path. Other parameters say how to answer, not what to do.
std::string named_by_query(const http::Request& request) {
  for (const auto& [name, value] :
       http::parse_query(request.query).value_or(std::vector<std::pair<std::string, std::string>>())) {
    if (name == "userId") return "?userId=" + value;
  }
  return {};
}

std::string digest_of(const http::Request& request, std::string_view body) {
  std::string text(http::to_string(request.method));
  text.append(" ").append(request.path).append(named_by_query(request)).append("\n").append(body);
  const auto digest = jwt::digest_of(text);
  return fmt::format("{:016x}{:016x}", digest.words[0], digest.words[1]);
}

// A client that retries may write the members of its body in another order: it is the same request.
std::string canonical(std::string_view body) { return parse_json(body) ? canonical_json(body) : std::string(body); }

}  // namespace

commands::Precondition precondition_of(const http::Request& request) {
  if (request.header_count("If-Match") == 0) return {};
  std::string list;  // several header lines are one list
  for (const auto& header : request.headers) {
    if (equals_ignoring_case(header.name, "If-Match")) list.append(list.empty() ? "" : ",").append(header.value);
  }
  return commands::Precondition::from_etags(list);
}

Result<std::optional<commands::IdempotencyKey>> idempotency_key_of(const http::Request& request) {
  const auto header = request.header("Idempotency-Key");
  if (!header) return std::optional<commands::IdempotencyKey>();
  const bool one = request.header_count("Idempotency-Key") == 1;
  if (!one || header->empty() || header->size() > commands::max_idempotency_key_bytes ||
      !http::is_visible_ascii(*header)) {
    return Error(ErrorCode::invalid, "Idempotency-Key must be one header of 1 to 128 visible ASCII characters");
  }
  return std::optional(commands::IdempotencyKey{std::string(*header), digest_of(request, canonical(request.body)),
                                                digest_of(request, request.body)});
}

Result<KeyId> key_id_of(const http::Request& request) {
  const auto segment = http::decode_segment(request.params[0]);
  const auto id = segment ? KeyId::parse(*segment) : std::nullopt;
  if (!id) return Error(ErrorCode::not_found, "no such key");
  return *id;
}

}  // namespace latchkey::keys_service

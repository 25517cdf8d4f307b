#pragma once

// The parts of a request besides its body: media type, preconditions, idempotency key, path and query parameters.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "commands/issue.hpp"
#include "commands/precondition.hpp"
#include "http/message.hpp"
#include "key/key_id.hpp"

namespace latchkey::keys_service {

enum class MediaType : std::uint8_t { none, json, merge_patch, other };

/// By Content-Type (RFC 9110, 8.3.1); none: no such header. A charset other than UTF-8 is `other`.
MediaType media_type_of(const http::Request& request);

/// Whether the body may be read as JSON. An absent body needs no Content-Type.
enum class Patches : std::uint8_t { refused, accepted };
bool is_json_request(const http::Request& request, Patches patches);

/// From If-Match; absent: any version.
commands::Precondition precondition_of(const http::Request& request);

/// ErrorCode::invalid unless absent or one header of 1 to 128 visible ASCII characters.
Result<std::optional<commands::IdempotencyKey>> idempotency_key_of(const http::Request& request);

/// The {keyId} of the path; ErrorCode::not_found for what is no key id.
Result<KeyId> key_id_of(const http::Request& request);

/// Whether Accept names `media_type` itself, with a weight other than 0.
bool accepts(const http::Request& request, std::string_view media_type);

/// Query parameters, each at most once, and all that is wrong with them.
class QueryReader {
 public:
  explicit QueryReader(std::string_view query);
  std::optional<std::string> text(std::string_view name);
  std::size_t number(std::string_view name, std::size_t least, std::size_t most, std::size_t otherwise);
  void note(std::string_view name, std::string detail);
  /// Notes repeated parameters and those nobody asked for.
  Result<void> finish();

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
  std::vector<std::string> known_;
  std::vector<FieldError> errors_;
};

}  // namespace latchkey::keys_service

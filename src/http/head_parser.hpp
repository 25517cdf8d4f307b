#pragma once

// A complete request head into a Request (RFC 9112), as strict as the reader of what an attacker wrote should be.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "http/refusal.hpp"

namespace latchkey::http {

enum class BodyFraming : std::uint8_t { none, length, chunked };
enum class Persistence : std::uint8_t { keep_alive, close };
enum class Version : std::uint8_t { http10, http11 };

struct Head {
  Request request;             // views into the text; `headers` views `fields`; no body
  std::vector<Header> fields;  // keeps its capacity from one request to the next
  Version version = Version::http11;
  Persistence persistence = Persistence::keep_alive;
  BodyFraming framing = BodyFraming::none;
  std::uint64_t content_length = 0;
  bool expects_continue = false;
};

/// Parses `text`, which ends with the empty line. nullopt: `head` is filled. Otherwise why not, and `head` is void.
/// The caller has looked for folded lines.
std::optional<Refusal> parse_head(std::string_view text, std::size_t max_headers, Head& head);

}  // namespace latchkey::http

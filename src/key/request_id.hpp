#pragma once

// The name of one request, to ask by later what became of it.
//
//   Latchkey-Request-Id: 9f3a5c07d2b1e86400d4c1a07be21f03

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/random.hpp"

namespace latchkey {

/// Only equality means anything. Text form: 32 lower-case hex digits.
struct RequestId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  static std::optional<RequestId> parse(std::string_view text);
  bool operator==(const RequestId&) const = default;
};

constexpr std::size_t request_id_chars = 32;
std::array<char, request_id_chars> text_of(const RequestId& id);

/// Ids that no other source makes, of whatever thread, process or machine: 64 random bits name the source, and the
/// others count, from a random number on, so that an id does not tell how many there were. One thread.
class RequestIds {
 public:
  explicit RequestIds(Random& random);
  RequestId next() { return {source_, count_++}; }

 private:
  std::uint64_t source_;
  std::uint64_t count_;
};

/// From the calling thread's own source. No lock, no allocation; the system is asked for randomness once a thread.
RequestId next_request_id();

}  // namespace latchkey

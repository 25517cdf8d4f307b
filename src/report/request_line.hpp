#pragma once

// A record on its way through a lane, and as a line.

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/request_log.hpp"

namespace latchkey::report {

/// In a lane: the fixed part, then the bytes of the texts, in the order of Text.
class WaitingRecord {
 public:
  enum Text : std::uint8_t {
    user_id,
    path,
    plan,
    original_method,
    original_path,
    proxy_request_id,
    traceparent,
    rule,
    limits,  // with a comma between two
    text_count
  };

  /// Redacts and bounds.
  explicit WaitingRecord(const RequestRecord& record);
  WaitingRecord(const WaitingRecord&) = delete;
  WaitingRecord& operator=(const WaitingRecord&) = delete;
  std::size_t bytes() const;
  void append_to(std::vector<char>& lane) const;

  struct Fixed {
    UnixMillis time;
    std::int64_t clock_millis;
    KeyId key_id;
    std::string_view method;
    std::string_view outcome;
    IpAddress client;
    RequestId id;
    Position position;
    std::uint32_t latency_micros;
    std::uint32_t cost;
    std::uint32_t retry_after_seconds;
    std::uint16_t status;
    std::array<std::uint16_t, text_count> sizes;
    bool has_key_id;
    bool has_client;
    bool refused;
  };

 private:
  void put(Text text, std::string_view bytes, std::size_t most);
  void put_limits(std::span<const std::string_view> names);

  Fixed fixed_;
  std::array<std::string_view, text_count> texts_{};
  std::array<char, max_logged_path_bytes> path_;
  std::array<char, max_logged_path_bytes> original_path_;
  std::array<char, 288> limits_;  // eight names of 32 and a comma each
};

/// No line is longer: all texts together are at most 1,400 bytes, of which any may need an escape.
constexpr std::size_t max_line_bytes = 4096;

/// Writes the record at `waiting` as one line to `out`, where there is room for max_line_bytes. Moves both on.
void write_line(char*& out, const char*& waiting);

}  // namespace latchkey::report

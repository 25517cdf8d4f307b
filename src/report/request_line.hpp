#pragma once

// A record on its way through a lane, and as a line.

#include <string>
#include <string_view>
#include <vector>

#include "report/request_log.hpp"

namespace latchkey::report {

/// In a lane: the fixed part, then the bytes of user id and path.
class WaitingRecord {
 public:
  WaitingRecord(const RequestRecord& record, std::string_view path);
  std::size_t bytes() const { return sizeof fixed_ + user_id_.size() + path_.size(); }
  void append_to(std::vector<char>& lane) const;

  struct Fixed {
    UnixMillis time;
    KeyId key_id;
    std::string_view method;
    std::string_view outcome;
    std::uint32_t latency_micros;
    std::uint16_t status;
    std::uint16_t path_size;
    std::uint8_t user_id_size;
    bool has_key_id;
  };

 private:
  Fixed fixed_;
  std::string_view user_id_;
  std::string_view path_;
};

/// No line is longer: user id and path are at most 255 and 256 bytes, of which any may need an escape.
constexpr std::size_t max_line_bytes = 2048;

/// Writes the record at `waiting` as one line to `out`, where there is room for max_line_bytes. Moves both on.
void write_line(char*& out, const char*& waiting);

}  // namespace latchkey::report

#include "report/request_line.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <type_traits>

#include "base/time_text.hpp"
#include "key/key_id_text.hpp"

namespace latchkey::report {
namespace {

static_assert(std::is_trivially_copyable_v<WaitingRecord::Fixed>);

/// Where a line goes. Copies of literals are a few instructions.
struct Line {
  char*& at;
  Line& put(std::string_view text) {
    std::memcpy(at, text.data(), text.size());
    at += text.size();
    return *this;
  }
  Line& put(std::uint64_t number) {
    at = std::to_chars(at, at + 20, number).ptr;
    return *this;
  }
  /// As a JSON string. Octets that are not visible ASCII need not be UTF-8, and become '?'.
  Line& quote(std::string_view text) {
    const auto is_plain = [](char c) { return (c >= ' ') & (c <= '~') & (c != '"') & (c != '\\'); };
    put("\"");
    if (std::all_of(text.begin(), text.end(), is_plain)) return put(text).put("\"");
    for (const char c : text) {
      if (c == '"' || c == '\\') *at++ = '\\';
      *at++ = c >= ' ' && c <= '~' ? c : '?';
    }
    return put("\"");
  }
};

/// The lines of one second have all but the milliseconds in common, which stand before the last character.
std::string_view text_of(UnixMillis time) {
  thread_local std::int64_t second = -1;
  thread_local std::string text;
  if (time.count / 1000 != second) {
    second = time.count / 1000;
    text = to_rfc3339({second * 1000});
  }
  const auto millis = static_cast<unsigned>(time.count % 1000);
  for (std::size_t i = 0, place = 100; i < 3; ++i, place /= 10) {
    text[text.size() - 4 + i] = static_cast<char>('0' + millis / place % 10);
  }
  return text;
}

}  // namespace

WaitingRecord::WaitingRecord(const RequestRecord& record, std::string_view path)
    : fixed_{record.time,
             record.key_id.value_or(KeyId()),
             record.method,
             record.outcome,
             record.latency_micros,
             static_cast<std::uint16_t>(record.status),
             static_cast<std::uint16_t>(path.size()),
             static_cast<std::uint8_t>(std::min<std::size_t>(record.user_id.size(), 255)),
             record.key_id.has_value()},
      user_id_(record.user_id.substr(0, 255)),
      path_(path) {}

void WaitingRecord::append_to(std::vector<char>& lane) const {
  char fixed[sizeof fixed_];
  std::memcpy(fixed, &fixed_, sizeof fixed_);
  lane.insert(lane.end(), fixed, fixed + sizeof fixed);
  lane.insert(lane.end(), user_id_.begin(), user_id_.end());
  lane.insert(lane.end(), path_.begin(), path_.end());
}

void write_line(char*& out, const char*& waiting) {
  WaitingRecord::Fixed fixed;
  std::memcpy(&fixed, waiting, sizeof fixed);
  const std::string_view user_id(waiting + sizeof fixed, fixed.user_id_size);
  const std::string_view path(user_id.data() + user_id.size(), fixed.path_size);
  waiting = path.data() + path.size();
  Line line{out};
  line.put(R"({"time":")").put(text_of(fixed.time)).put(R"(","keyId":)");
  if (fixed.has_key_id) {
    const auto id = text_of(fixed.key_id);
    line.put("\"").put({id.data(), id.size()}).put("\"");
  } else {
    line.put("null");
  }
  line.put(R"(,"userId":)");
  user_id.empty() ? line.put("null") : line.quote(user_id);
  line.put(R"(,"method":")").put(fixed.method).put(R"(","path":)").quote(path);
  line.put(R"(,"outcome":")").put(fixed.outcome).put(R"(","status":)").put(fixed.status);
  line.put(R"(,"latencyMicros":)").put(fixed.latency_micros).put("}\n");
}

}  // namespace latchkey::report

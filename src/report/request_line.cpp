#include "report/request_line.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <type_traits>

#include "base/json.hpp"
#include "base/time_text.hpp"
#include "key/key_id_text.hpp"

namespace latchkey::report {
namespace {

static_assert(std::is_trivially_copyable_v<WaitingRecord::Fixed>);

/// Octets of a path that are not ASCII need not be UTF-8.
void append_ascii(std::string& out, std::string_view path) {
  const auto is_ascii = [](char c) { return c >= ' ' && c <= '~'; };
  if (std::all_of(path.begin(), path.end(), is_ascii)) return append_json_string(out, path);
  std::string ascii(path);
  std::replace_if(
      ascii.begin(), ascii.end(), [&](char c) { return !is_ascii(c); }, '?');
  append_json_string(out, ascii);
}

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

/// The lines of one second have all but the milliseconds in common, which stand before the last character.
void append_time(std::string& out, UnixMillis time) {
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
  out += text;
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

std::size_t append_line(std::string& out, const char* waiting) {
  WaitingRecord::Fixed fixed;
  std::memcpy(&fixed, waiting, sizeof fixed);
  const std::string_view user_id(waiting + sizeof fixed, fixed.user_id_size);
  const std::string_view path(user_id.data() + user_id.size(), fixed.path_size);
  out += R"({"time":")";
  append_time(out, fixed.time);
  out += R"(","keyId":)";
  if (fixed.has_key_id) {
    const auto id = text_of(fixed.key_id);
    out.append(1, '"').append(id.data(), id.size()).append(1, '"');
  } else {
    out += "null";
  }
  out += ",\"userId\":";
  fixed.user_id_size > 0 ? append_json_string(out, user_id) : void(out += "null");
  out.append(R"(,"method":")").append(fixed.method).append(R"(","path":)");
  append_ascii(out, path);
  out.append(R"(,"outcome":")").append(fixed.outcome).append(R"(","status":)");
  append_number(out, fixed.status);
  out += ",\"latencyMicros\":";
  append_number(out, fixed.latency_micros);
  out += "}\n";
  return sizeof fixed + user_id.size() + path.size();
}

}  // namespace latchkey::report

#include "report/request_line.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/time_text.hpp"
#include "base/unchecked_writer.hpp"
#include "key/key_id_text.hpp"

namespace latchkey::report {
namespace {

static_assert(std::is_trivially_copyable_v<WaitingRecord::Fixed>);

/// As a JSON string. Octets that are not visible ASCII need not be UTF-8, and become '?'.
void quote(UncheckedWriter& pen, std::string_view text) {
  const auto is_plain = [](char c) { return (c >= ' ') & (c <= '~') & (c != '"') & (c != '\\'); };
  pen.put('"');
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    pen.put(text);
  } else {
    for (const char c : text) {
      if (c == '"' || c == '\\') pen.put('\\');
      pen.put(c >= ' ' && c <= '~' ? c : '?');
    }
  }
  pen.put('"');
}

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
  UncheckedWriter pen(out);
  pen.put(R"({"time":")").put(text_of(fixed.time)).put(R"(","keyId":)");
  if (fixed.has_key_id) {
    const auto id = text_of(fixed.key_id);
    pen.put('"').put({id.data(), id.size()}).put('"');
  } else {
    pen.put("null");
  }
  pen.put(R"(,"userId":)");
  if (user_id.empty()) {
    pen.put("null");
  } else {
    quote(pen, user_id);
  }
  pen.put(R"(,"method":")").put(fixed.method).put(R"(","path":)");
  quote(pen, path);
  pen.put(R"(,"outcome":")").put(fixed.outcome).put(R"(","status":)").number(fixed.status);
  pen.put(R"(,"latencyMicros":)").number(fixed.latency_micros).put("}\n");
  out = pen.at();
}

}  // namespace latchkey::report

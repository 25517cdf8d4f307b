#include "report/request_line.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/json.hpp"
#include "base/time_text.hpp"

namespace latchkey::report {
namespace {

static_assert(std::is_trivially_copyable_v<WaitingRecord::Fixed>);

void append_text(std::string& out, std::string_view name, std::string_view text) {
  out.append(name);
  append_json_string(out, text);
}

/// Octets of a path that are not ASCII need not be UTF-8.
std::string ascii_only(std::string_view path) {
  std::string out(path);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
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
  append_text(out, "{\"time\":", to_rfc3339(fixed.time));
  out += ",\"keyId\":";
  fixed.has_key_id ? append_json_string(out, fixed.key_id.to_string()) : void(out += "null");
  out += ",\"userId\":";
  fixed.user_id_size > 0 ? append_json_string(out, user_id) : void(out += "null");
  append_text(out, ",\"method\":", fixed.method);
  append_text(out, ",\"path\":", ascii_only(path));
  append_text(out, ",\"outcome\":", fixed.outcome);
  out += ",\"status\":" + std::to_string(fixed.status);
  out += ",\"latencyMicros\":" + std::to_string(fixed.latency_micros) + "}\n";
  return sizeof fixed + user_id.size() + path.size();
}

}  // namespace latchkey::report

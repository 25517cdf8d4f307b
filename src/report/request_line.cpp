#include "report/request_line.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/hex.hpp"
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

/// An address of IPv4 in few instructions: most lines have one.
void put_address(UncheckedWriter& pen, const IpAddress& address) {
  if (!address.is_v4()) {
    pen.put(address.to_string());
    return;
  }
  for (std::size_t i = 12; i < 16; ++i) {
    if (i > 12) pen.put('.');
    pen.number(std::uint32_t{address.octets()[i]});
  }
}

/// `,"name":"text"`, where there is a text.
void put_text(UncheckedWriter& pen, std::string_view quoted_name, std::string_view text) {
  if (text.empty()) return;
  pen.put(quoted_name);
  quote(pen, text);
}

bool is_secretive(std::string_view segment) { return segment.size() > 64 || segment.contains("eyJ"); }

std::string_view shown(std::string_view text) { return is_secretive(text) ? "[redacted]" : text; }

std::string_view without_query(std::string_view target) { return target.substr(0, target.find_first_of("?#")); }

void put_refusal(UncheckedWriter& pen, const WaitingRecord::Fixed& fixed, std::string_view rule,
                 std::string_view limits) {
  const auto id = text_of(fixed.id);
  const auto high = hex_digits(static_cast<std::uint32_t>(fixed.position.epoch.value >> 32U));
  const auto low = hex_digits(static_cast<std::uint32_t>(fixed.position.epoch.value));
  pen.put(R"(,"requestId":")").put({id.data(), id.size()});
  pen.put(R"(","position":")").put({high.data(), high.size()}).put({low.data(), low.size()});
  pen.put('.').number(fixed.position.seq.value).put('"');
  put_text(pen, R"(,"rule":)", rule);
  if (!limits.empty()) pen.put(R"(,"limits":[")");
  for (const char c : limits) c == ',' ? pen.put(R"(",")") : pen.put(c);
  if (!limits.empty()) pen.put(R"("])");
  if (fixed.retry_after_seconds > 0) pen.put(R"(,"retryAfter":)").number(fixed.retry_after_seconds);
}

}  // namespace

std::size_t redact_path(std::string_view path, std::array<char, max_logged_path_bytes>& out) {
  std::size_t size = 0;
  const auto put = [&](std::string_view text) {
    const std::size_t n = std::min(text.size(), out.size() - size);
    std::copy_n(text.begin(), n, out.begin() + static_cast<std::ptrdiff_t>(size));
    size += n;
  };
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    put(shown(segment));
    path.remove_prefix(segment.size());
    if (path.empty()) break;
    put("/");
    path.remove_prefix(1);
  }
  return size;
}

WaitingRecord::WaitingRecord(const RequestRecord& record)
    : fixed_{.time = record.time,
             .clock_millis = record.clock_millis,
             .key_id = record.key_id.value_or(KeyId()),
             .method = record.method,
             .outcome = record.outcome,
             .client = record.client.value_or(IpAddress()),
             .id = {},
             .position = {},
             .latency_micros = record.latency_micros,
             .cost = record.cost,
             .retry_after_seconds = 0,
             .status = static_cast<std::uint16_t>(record.status),
             .sizes = {},
             .has_key_id = record.key_id.has_value(),
             .has_client = record.client.has_value(),
             .refused = record.refused != nullptr} {
  put(user_id, record.user_id, 255);
  put(path, {path_.data(), redact_path(record.path, path_)}, path_.size());
  put(plan, record.plan, 32);
  put(original_method, record.original_method, 32);
  if (!record.original_target.empty()) {
    const std::size_t size = redact_path(without_query(record.original_target), original_path_);
    put(original_path, {original_path_.data(), size}, size);
  }
  put(proxy_request_id, shown(record.proxy_request_id), 64);
  put(traceparent, shown(record.traceparent), 64);
  if (record.refused == nullptr) return;
  fixed_.id = record.refused->id;
  fixed_.position = record.refused->position;
  fixed_.retry_after_seconds = record.refused->retry_after_seconds;
  put(rule, record.refused->rule, 64);
  put_limits(record.refused->limits);
}

void WaitingRecord::put(Text text, std::string_view bytes, std::size_t most) {
  texts_[text] = bytes.substr(0, most);
  fixed_.sizes[text] = static_cast<std::uint16_t>(texts_[text].size());
}

void WaitingRecord::put_limits(std::span<const std::string_view> names) {
  std::size_t size = 0;
  for (const std::string_view name : names) {
    if (size + name.size() + 1 > limits_.size()) break;
    if (size > 0) limits_[size++] = ',';
    std::copy(name.begin(), name.end(), limits_.begin() + static_cast<std::ptrdiff_t>(size));
    size += name.size();
  }
  put(limits, {limits_.data(), size}, limits_.size());
}

std::size_t WaitingRecord::bytes() const {
  std::size_t sum = sizeof fixed_;
  for (const std::string_view text : texts_) sum += text.size();
  return sum;
}

void WaitingRecord::append_to(std::vector<char>& lane) const {
  char fixed[sizeof fixed_];
  std::memcpy(fixed, &fixed_, sizeof fixed_);
  lane.insert(lane.end(), fixed, fixed + sizeof fixed);
  for (const std::string_view text : texts_) lane.insert(lane.end(), text.begin(), text.end());
}

namespace {

using Texts = std::array<std::string_view, WaitingRecord::text_count>;

void put_holder(UncheckedWriter& pen, const WaitingRecord::Fixed& fixed, std::string_view user_id) {
  pen.put(R"(,"keyId":)");
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
}

void put_where_known(UncheckedWriter& pen, const WaitingRecord::Fixed& fixed, const Texts& texts) {
  if (fixed.has_client) {
    pen.put(R"(,"client":")");
    put_address(pen, fixed.client);
    pen.put('"');
  }
  put_text(pen, R"(,"plan":)", texts[WaitingRecord::plan]);
  if (fixed.cost != 1) pen.put(R"(,"cost":)").number(fixed.cost);
  put_text(pen, R"(,"originalMethod":)", texts[WaitingRecord::original_method]);
  put_text(pen, R"(,"originalPath":)", texts[WaitingRecord::original_path]);
  put_text(pen, R"(,"proxyRequestId":)", texts[WaitingRecord::proxy_request_id]);
  put_text(pen, R"(,"traceparent":)", texts[WaitingRecord::traceparent]);
  if (fixed.refused) put_refusal(pen, fixed, texts[WaitingRecord::rule], texts[WaitingRecord::limits]);
}

}  // namespace

void write_line(char*& out, const char*& waiting) {
  WaitingRecord::Fixed fixed;
  std::memcpy(&fixed, waiting, sizeof fixed);
  waiting += sizeof fixed;
  Texts texts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    texts[i] = {waiting, fixed.sizes[i]};
    waiting += fixed.sizes[i];
  }
  UncheckedWriter pen(out);
  pen.put(R"({"time":")").put(text_of(fixed.time)).put('"');
  put_holder(pen, fixed, texts[WaitingRecord::user_id]);
  pen.put(R"(,"method":")").put(fixed.method).put(R"(","path":)");
  quote(pen, texts[WaitingRecord::path]);
  pen.put(R"(,"outcome":")").put(fixed.outcome).put(R"(","status":)").number(fixed.status);
  pen.put(R"(,"latencyMicros":)").number(fixed.latency_micros);
  if (fixed.clock_millis > 0) pen.put(R"(,"clockMillis":)").number(static_cast<std::uint64_t>(fixed.clock_millis));
  put_where_known(pen, fixed, texts);
  pen.put("}\n");
  out = pen.at();
}

}  // namespace latchkey::report

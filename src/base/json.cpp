#include "base/json.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>
#include <cmath>

namespace latchkey {
namespace {

// Builds a value and counts the member names seen, so that a repeated one shows as a missing member afterwards.
struct CountingHandler {
  static constexpr std::size_t max_object_size = 100'000;
  static constexpr std::size_t max_array_size = 1'000'000;
  static constexpr std::size_t max_key_size = 65'536;
  static constexpr std::size_t max_string_size = 16U << 20U;
  using error_code = boost::system::error_code;

  json::value_stack stack;
  std::size_t names = 0;

  bool on_document_begin(error_code&) { return stack.reset(), true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t n, error_code&) { return stack.push_object(n), true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t n, error_code&) { return stack.push_array(n), true; }
  bool on_key_part(json::string_view s, std::size_t, error_code&) { return stack.push_chars(s), true; }
  bool on_key(json::string_view s, std::size_t, error_code&) { return ++names, stack.push_key(s), true; }
  bool on_string_part(json::string_view s, std::size_t, error_code&) { return stack.push_chars(s), true; }
  bool on_string(json::string_view s, std::size_t, error_code&) { return stack.push_string(s), true; }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t i, json::string_view, error_code&) { return stack.push_int64(i), true; }
  bool on_uint64(std::uint64_t u, json::string_view, error_code&) { return stack.push_uint64(u), true; }
  bool on_double(double d, json::string_view, error_code& error) {
    if (std::isfinite(d)) return stack.push_double(d), true;
    error = json::error::exponent_overflow;  // 1e400, or 0e1000, which is read as NaN: neither could be written again
    return false;
  }
  bool on_bool(bool b, error_code&) { return stack.push_bool(b), true; }
  bool on_null(error_code&) { return stack.push_null(), true; }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }
};

std::size_t count_names(const json::value& value) {
  std::size_t names = 0;
  if (const auto* object = value.if_object()) {
    names += object->size();
    for (const auto& member : *object) names += count_names(member.value());
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) names += count_names(element);
  }
  return names;
}

}  // namespace

Result<json::value> parse_json(std::string_view text, std::size_t max_depth) {
  json::parse_options options;
  options.max_depth = max_depth;
  json::basic_parser<CountingHandler> parser(options);
  boost::system::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (error) return Error(ErrorCode::invalid, "not valid JSON: " + error.message());
  if (used != text.size()) return Error(ErrorCode::invalid, "not valid JSON: text after the end");
  json::value value = parser.handler().stack.release();
  if (count_names(value) != parser.handler().names) {
    return Error(ErrorCode::invalid, "not valid JSON: a member name is repeated");
  }
  return value;
}

void append_json_string(std::string& out, std::string_view text) {
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
  if (plain) {
    out.append(1, '"').append(text).append(1, '"');
  } else {
    out += json::serialize(json::string_view(text));
  }
}

std::string json_pointer_to(std::string_view member) {
  std::string pointer = "/";
  for (const char c : member) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

}  // namespace latchkey

#pragma once

// What a JavaScript function was called with, and what it answers.

#include <node_api.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace latchkey::node {

/// The first arguments of a call; those that are missing are undefined.
template <std::size_t count>
struct Arguments {
  Arguments(napi_env env, napi_callback_info info) {
    std::size_t given = count;
    napi_get_cb_info(env, info, &given, values.data(), nullptr, nullptr);
  }
  napi_value operator[](std::size_t i) const { return values[i]; }
  std::array<napi_value, count> values{};
};

/// A string argument in a buffer on the stack, UTF-8: no two strings of JavaScript become one here, and a character
/// that no token has stays one. Its memory is not cleared: a call costs what its text is long.
class TextArgument {
 public:
  static constexpr std::size_t most_bytes = 16384;  // as long as Node lets a request's head be

  TextArgument(napi_env env, napi_value value) {
    is_text_ = napi_get_value_string_utf8(env, value, bytes_.data(), bytes_.size(), &size_) == napi_ok;
  }
  /// False: it was no string.
  bool is_text() const { return is_text_; }
  /// Something may be missing at its end: then it must not be taken for what was sent.
  bool cut() const { return size_ > most_bytes; }
  std::string_view text() const { return {bytes_.data(), is_text_ ? size_ : 0}; }

 private:
  // A cut never leaves part of a character, so up to three octets may stay unused.
  std::array<char, most_bytes + 8> bytes_;
  std::size_t size_ = 0;
  bool is_text_ = false;
};

inline std::uint32_t number_of(napi_env env, napi_value value) {
  std::uint32_t number = UINT32_MAX;
  napi_get_value_uint32(env, value, &number);
  return number;
}

std::string text_of(napi_env env, napi_value value);
napi_value to_js(napi_env env, std::string_view text);
napi_value to_js(napi_env env, double number);
inline napi_value to_js(napi_env env, std::int32_t number) {
  napi_value value = nullptr;
  napi_create_int32(env, number, &value);
  return value;
}
void set(napi_env env, napi_value object, const char* name, napi_value value);
/// An Error with `code` (such as "LATCHKEY_CONFLICT") and a message for the operator.
napi_value error_of(napi_env env, std::string_view code, std::string_view message);

}  // namespace latchkey::node

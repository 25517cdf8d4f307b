#include "addon/arguments.hpp"

namespace latchkey::node {

std::string text_of(napi_env env, napi_value value) {
  std::size_t size = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &size) != napi_ok) return {};
  std::string text(size, '\0');
  napi_get_value_string_utf8(env, value, text.data(), size + 1, &size);
  return text;
}

napi_value to_js(napi_env env, std::string_view text) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, text.data(), text.size(), &value);
  return value;
}

napi_value to_js(napi_env env, double number) {
  napi_value value = nullptr;
  napi_create_double(env, number, &value);
  return value;
}

void set(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

napi_value error_of(napi_env env, std::string_view code, std::string_view message) {
  napi_value error = nullptr;
  napi_create_error(env, to_js(env, code), to_js(env, message), &error);
  return error;
}

}  // namespace latchkey::node

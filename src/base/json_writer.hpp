#pragma once

// Writes one JSON text (RFC 8259) from its front to its end. The writer puts the commas and the escapes; its caller
// puts a name before each value of an object, and closes what it opened.
//
//   JsonWriter out;
//   out.begin_object().member("name", "a \"b\"").member("expiresAt", std::optional<UnixMillis>()).end_object();
//   out.take();   // {"name":"a \"b\"","expiresAt":null}

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace latchkey {

/// A JSON text that is complete already; the caller vouches for it.
struct JsonText {
  std::string_view text;
};

class JsonWriter {
 public:
  JsonWriter& begin_object() { return begin('{'); }
  JsonWriter& end_object() { return end('}'); }
  JsonWriter& begin_array() { return begin('['); }
  JsonWriter& end_array() { return end(']'); }

  /// Of the value that comes next.
  JsonWriter& name(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(JsonText complete) { return put(complete.text); }
  JsonWriter& value(std::nullptr_t) { return put("null"); }
  /// RFC 3339, in UTC with milliseconds.
  JsonWriter& value(UnixMillis time);
  JsonWriter& value(std::same_as<bool> auto yes) { return put(yes ? "true" : "false"); }
  template <std::integral T>
  requires(!std::same_as<T, bool>) JsonWriter& value(T number) { return put(std::to_string(number)); }
  /// Nothing: null.
  template <class T>
  JsonWriter& value(const std::optional<T>& value) {
    return value ? this->value(*value) : this->value(nullptr);
  }

  template <class T>
  JsonWriter& member(std::string_view name, const T& value) {
    return this->name(name).value(value);
  }

  /// The text; the writer is empty then.
  std::string take();

 private:
  JsonWriter& begin(char bracket);
  JsonWriter& end(char bracket);
  JsonWriter& put(std::string_view complete);
  void separate();

  std::string out_;
  bool follows_ = false;  // the next name or value stands behind another of the same object or array
};

}  // namespace latchkey

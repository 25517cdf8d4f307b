#include "base/json_writer.hpp"

#include <utility>

#include "base/json.hpp"
#include "base/time_text.hpp"

namespace latchkey {

void JsonWriter::separate() {
  if (std::exchange(follows_, true)) out_ += ',';
}

JsonWriter& JsonWriter::begin(char bracket) {
  separate();
  out_ += bracket;
  follows_ = false;
  return *this;
}

JsonWriter& JsonWriter::end(char bracket) {
  out_ += bracket;
  follows_ = true;
  return *this;
}

JsonWriter& JsonWriter::name(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  follows_ = false;  // a value follows its name without a comma
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(UnixMillis time) { return value(std::string_view(to_rfc3339(time))); }

JsonWriter& JsonWriter::put(std::string_view complete) {
  separate();
  out_ += complete;
  return *this;
}

std::string JsonWriter::take() {
  follows_ = false;
  return std::exchange(out_, {});
}

}  // namespace latchkey

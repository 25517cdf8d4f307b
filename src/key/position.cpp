#include "key/position.hpp"

#include <fmt/format.h>

#include <charconv>

namespace latchkey {

std::optional<Position> Position::parse(std::string_view text) {
  if (text.size() < 18 || text.size() > 37 || text[16] != '.') return std::nullopt;
  if (text.substr(0, 16).find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  const auto seq_text = text.substr(17);
  if (seq_text.size() > 1 && seq_text.front() == '0') return std::nullopt;
  Position position;
  std::from_chars(text.data(), text.data() + 16, position.epoch.value, 16);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(seq_text.data(), end, position.seq.value);
  if (error != std::errc() || stop != end || position.seq.value > INT64_MAX) return std::nullopt;
  return position;
}

std::string Position::to_string() const { return fmt::format("{:016x}.{}", epoch.value, seq.value); }

}  // namespace latchkey

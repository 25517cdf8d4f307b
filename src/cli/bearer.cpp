#include "cli/bearer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "data_dir/small_file.hpp"

namespace latchkey::cli {

Result<Secret> bearer_of(std::string text, std::string_view source) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  const bool is_word = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (!is_word || text.empty()) {
    return Error(ErrorCode::invalid, fmt::format("{}: not a token, which is one word of visible characters", source));
  }
  return Secret(std::move(text));
}

Result<Secret> read_bearer(const std::string& file) {
  const bool from_stdin = file == "-";
  auto text = from_stdin ? data_dir::read_stdin() : data_dir::read_small_input(file);
  if (!text) return text.error();
  return bearer_of(std::move(*text), from_stdin ? "standard input" : file);
}

}  // namespace latchkey::cli

#include "cli/terminal_text.hpp"

#include "base/control_characters.hpp"

namespace latchkey::cli {
namespace {

/// 3 where `text` begins with a separator or a mark of direction, else 0: all of them are E2 80 xx or E2 81 xx.
std::size_t leading_layout(std::string_view text) {
  if (text.size() < 3 || text[0] != '\xe2') return 0;
  const auto last = static_cast<unsigned char>(text[2]);
  const bool separates_or_embeds = text[1] == '\x80' && last >= 0xa8 && last <= 0xae;
  const bool isolates = text[1] == '\x81' && last >= 0xa6 && last <= 0xa9;
  return separates_or_embeds || isolates ? 3 : 0;
}

}  // namespace

std::string escape_for_terminal(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t harm = leading_control(text) + leading_layout(text);
    out += harm == 0 ? text.front() : '?';
    text.remove_prefix(harm == 0 ? 1 : harm);
  }
  return out;
}

}  // namespace latchkey::cli

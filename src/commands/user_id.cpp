#include "commands/user_id.hpp"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "key/access_key.hpp"

namespace latchkey::commands {
namespace {

/// What the character is that no id may have; empty: it may.
std::string_view forbidden_kind(utf8proc_int32_t character) {
  switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_CN:
      return "unassigned";
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CS:
      return "a control";
    case UTF8PROC_CATEGORY_CF:
      return "a format or bidi control";
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return "a line separator";
    default:
      return {};
  }
}

const utf8proc_uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const utf8proc_uint8_t*>(text.data());
}

Result<void> check_characters(std::string_view user_id) {
  for (std::string_view rest = user_id; !rest.empty();) {
    utf8proc_int32_t character = 0;
    const auto size = utf8proc_iterate(bytes_of(rest), static_cast<utf8proc_ssize_t>(rest.size()), &character);
    if (size <= 0) return Error::invalid("/userId", "must be UTF-8");
    rest.remove_prefix(static_cast<std::size_t>(size));
    const auto kind = forbidden_kind(character);
    if (kind.empty()) continue;
    return Error::invalid("/userId", fmt::format("must not contain U+{:04X}, which is {} character", character, kind));
  }
  return {};
}

bool is_nfc(std::string_view text) {
  utf8proc_uint8_t* composed = nullptr;
  const auto size = utf8proc_map(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &composed,
                                 static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(composed, &std::free);
  return size >= 0 && text == std::string_view(reinterpret_cast<const char*>(composed), static_cast<std::size_t>(size));
}

}  // namespace

Result<void> check_new_user_id(std::string_view user_id) {
  if (const auto checked = check_user_id(user_id); !checked) return checked;
  if (user_id == "." || user_id == "..") {
    return Error::invalid("/userId", "must not be \".\" or \"..\": no URL keeps them in its path");
  }
  if (std::all_of(user_id.begin(), user_id.end(), [](char c) { return c >= ' ' && c <= '~'; })) return {};
  if (const auto checked = check_characters(user_id); !checked) return checked;
  if (is_nfc(user_id)) return {};
  return Error::invalid("/userId", "must be in Unicode's normal form C (NFC)");
}

}  // namespace latchkey::commands

#include "cli/key_pages.hpp"

namespace latchkey::cli {

KeyPagesRead read_key_pages(const Invocation& invocation, const KeyPagePath& path, const KeyPageTaker& take) {
  std::string cursor;
  bool wanted = true;
  do {
    bool good = false;
    const int code = call_as_admin(invocation, {"GET", path(cursor), std::nullopt, {}}, [&](const json::value& page) {
      const auto* object = page.if_object();
      const auto* keys = object == nullptr ? nullptr : object->if_contains("keys");
      if (keys == nullptr || !keys->is_array()) return;
      good = true;
      const auto* next = object->if_contains("nextCursor");
      cursor = next != nullptr && next->is_string() ? std::string(next->as_string()) : "";
      wanted = take(page);
    });
    if (code != exit_done) return {code, false};
    if (!good) return {complain(Error(ErrorCode::unavailable, "the service's answer is no list of keys")), false};
  } while (wanted && !cursor.empty());
  return {exit_done, !cursor.empty()};
}

}  // namespace latchkey::cli

#pragma once

// GET /v1/keys, page by page.

#include <functional>
#include <string>

#include "cli/api.hpp"

namespace latchkey::cli {

/// The path of the page behind `cursor`; empty: of the first.
using KeyPagePath = std::function<std::string(const std::string& cursor)>;
/// Takes a page, {"keys": […], "nextCursor"}; false: no further one is wanted.
using KeyPageTaker = std::function<bool(const json::value& page)>;

struct KeyPagesRead {
  int code;   // exit_done, or of the page that failed
  bool more;  // pages were left unread
};

/// As an admin. A page that has no array "keys" is complained of and ends it.
KeyPagesRead read_key_pages(const Invocation& invocation, const KeyPagePath& path, const KeyPageTaker& take);

}  // namespace latchkey::cli

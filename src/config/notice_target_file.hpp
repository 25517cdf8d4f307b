#pragma once

// The [[notice_target]] tables of a TOML file: where notices are sent.
//
//   [[notice_target]]
//   url = "https://example.org/hooks/latchkey"
//   secret_file = "/etc/latchkey/hook.secret"       # whsec_…
//   allow_private = false                           # loopback, private and link-local addresses too

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace latchkey::config {

struct NoticeTargetEntry {
  std::string url;
  std::string secret_file;
  bool allow_private = false;
};

/// ErrorCode::invalid says which table, and what is wrong in it.
Result<std::vector<NoticeTargetEntry>> parse_notice_targets(std::string_view toml);

/// Of a file; an empty name: no targets. The error's text names the file.
Result<std::vector<NoticeTargetEntry>> load_notice_targets(const std::string& file);

}  // namespace latchkey::config

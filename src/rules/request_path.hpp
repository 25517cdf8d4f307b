#pragma once

// The path that rules are matched against, and the paths that are matched against none.
//
// A proxy, the API behind it and we must understand the same path; where they might not, a rule for one path could be
// passed by another spelling of it:
//
//   /admin            matched as it is
//   /caf%C3%A9        matched as /café: percent-decoded once
//   /open/../admin    ambiguous: some servers take it for /admin, others for a file named ".."
//   /open%2Fadmin     ambiguous: one segment or two?
//   /admin;x          ambiguous: some servers cut a segment at ';'

#include <optional>
#include <string>
#include <string_view>

namespace latchkey::rules {

/// The path of a request target "/path?query", percent-decoded once: a view into `target`, or into `room` where
/// something had to be decoded. nullopt: ambiguous. These are: a path that does not begin with '/'; a malformed escape;
/// %2F and %5C; and what holds, once decoded, "//", "." or ".." as a segment, '\', ';', '%' or a control character. A
/// '#' as it stands is ambiguous too: no path holds one, and some servers end the path there.
std::optional<std::string_view> unambiguous_path(std::string_view target, std::string& room);

}  // namespace latchkey::rules

#include "rules/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/shown.hpp"
#include "rules/request_path.hpp"

namespace latchkey::rules {
namespace {

Error wrong(std::string_view text, std::string_view why) {
  return Error(ErrorCode::invalid, fmt::format("match {} {}", shown(text), why));
}

/// "/a/*/b/*" as "/a/", "/b/", and that any rest may follow. Empty: a '*' that is neither a whole segment nor at the end.
std::vector<std::string> pieces_of(std::string_view path) {
  std::vector<std::string> pieces;
  for (;;) {
    const auto star = path.find('*');
    pieces.emplace_back(path.substr(0, star));
    if (star == std::string_view::npos) return pieces;
    path.remove_prefix(star + 1);
    if (path.empty()) return pieces;
    if (!pieces.back().ends_with('/') || path.front() != '/') return {};
  }
}

}  // namespace

bool is_matchable_method(std::string_view text) {
  return !text.empty() && text.size() <= max_method_bytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; });
}

Result<Pattern> Pattern::parse(std::string_view text) {
  const auto space = text.find(' ');
  Pattern pattern;
  pattern.method_ = text.substr(0, space);
  const std::string_view path = space == std::string_view::npos ? "" : text.substr(space + 1);
  if (!path.starts_with('/') || path.contains(' '))
    return wrong(text, "is not METHOD PATH, such as \"GET /v1/items/*\"");
  if (pattern.method_ != "*" && !is_matchable_method(pattern.method_))
    return wrong(text, "needs a method in capital letters, or * for all");
  if (pattern.method_ == "HEAD") return wrong(text, "is covered by GET: HEAD has no rules of its own");
  if (path.contains('?')) return wrong(text, "has a query, which is never looked at");
  if (path.contains('%')) return wrong(text, "has a '%': paths are matched percent-decoded, so write it decoded");
  std::string room;
  if (!unambiguous_path(path, room)) return wrong(text, "can match nothing: such a path is refused as ambiguous");
  pattern.open_ = path.ends_with('*');
  pattern.pieces_ = pieces_of(path);
  if (pattern.pieces_.empty()) return wrong(text, "has a '*' that is neither a whole segment nor at the end");
  return pattern;
}

bool Pattern::matches(std::string_view method, std::string_view path) const {
  if (method_ != "*" && method_ != method && !(method_ == "GET" && method == "HEAD")) return false;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (i > 0) {
      const auto segment = std::min(path.find('/'), path.size());
      if (segment == 0) return false;
      path.remove_prefix(segment);
    }
    if (!path.starts_with(pieces_[i])) return false;
    path.remove_prefix(pieces_[i].size());
  }
  return open_ || path.empty();
}

std::string Pattern::to_string() const {
  std::string text = method_ + " ";
  for (std::size_t i = 0; i < pieces_.size(); ++i) text += (i == 0 ? "" : "*") + pieces_[i];
  return text + (open_ ? "*" : "");
}

}  // namespace latchkey::rules

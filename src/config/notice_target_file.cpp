#include "config/notice_target_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "base/regular_file.hpp"
#include "base/shown.hpp"

namespace latchkey::config {
namespace {

constexpr std::size_t max_target_file_bytes = 1U << 16U;
constexpr std::size_t max_targets = 16;

/// What is wrong with one member; "": nothing.
std::string take_target_member(NoticeTargetEntry& target, std::string_view name, const toml::node& node) {
  if (name == "url" || name == "secret_file") {
    const auto* text = node.as_string();
    if (text == nullptr) return fmt::format("{} must be a string", name);
    (name == "url" ? target.url : target.secret_file) = text->get();
    return {};
  }
  if (name != "allow_private") {
    return fmt::format("has no member {}: there are url, secret_file and allow_private", shown(name));
  }
  const auto* flag = node.as_boolean();
  if (flag == nullptr) return "allow_private must be true or false";
  target.allow_private = flag->get();
  return {};
}

bool is_target_url(std::string_view url) {
  const bool web = url.starts_with("https://") || url.starts_with("http://");
  return web && !url.contains('@') && !url.contains('#') &&
         std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

Result<NoticeTargetEntry> read_target(const toml::table& table, std::size_t number) {
  NoticeTargetEntry target;
  const auto wrong = [&](std::string_view why) {
    return Error(ErrorCode::invalid, fmt::format("notice_target {}: {}", number, why));
  };
  for (const auto& [name, node] : table) {
    if (const auto why = take_target_member(target, name.str(), node); !why.empty()) return wrong(why);
  }
  if (!is_target_url(target.url)) return wrong("url must be https:// or http://, without user, fragment and spaces");
  if (target.secret_file.empty()) return wrong("secret_file is required: a file with whsec_ and base64");
  return target;
}

}  // namespace

Result<std::vector<NoticeTargetEntry>> parse_notice_targets(std::string_view toml) {
  std::vector<NoticeTargetEntry> targets;
  try {
    const toml::table root = toml::parse(toml);
    const auto* node = root.get("notice_target");
    if (node == nullptr) return targets;
    const auto* list = node->as_array();
    if (list == nullptr || list->size() > max_targets) {
      return Error(ErrorCode::invalid,
                   fmt::format("targets are written as [[notice_target]], {} at most", max_targets));
    }
    for (const auto& each : *list) {
      const auto* table = each.as_table();
      if (table == nullptr) return Error(ErrorCode::invalid, "targets are written as [[notice_target]]");
      auto target = read_target(*table, targets.size() + 1);
      if (!target) return target.error();
      const bool twice = std::any_of(targets.begin(), targets.end(),
                                     [&](const NoticeTargetEntry& other) { return other.url == target->url; });
      if (twice)
        return Error(ErrorCode::invalid, fmt::format("notice_target {}: its url came before", targets.size() + 1));
      targets.push_back(std::move(*target));
    }
  } catch (const toml::parse_error& error) {
    return Error(ErrorCode::invalid, fmt::format("line {}: {}", error.source().begin.line, error.description()));
  }
  return targets;
}

Result<std::vector<NoticeTargetEntry>> load_notice_targets(const std::string& file) {
  if (file.empty()) return std::vector<NoticeTargetEntry>();
  const auto text = read_regular(file, max_target_file_bytes, Links::follow);
  if (!text) return text.error();
  auto targets = parse_notice_targets(*text);
  if (targets) return targets;
  return Error(ErrorCode::invalid, file + ": " + targets.error().detail);
}

}  // namespace latchkey::config

#include "key/scopes.hpp"

#include "key/text_list.hpp"

namespace latchkey {
namespace {

bool is_scope_character(char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; }

Result<std::string> read_scope(std::string_view text) {
  if (is_scope(text)) return std::string(text);
  return Error(ErrorCode::invalid,
               fmt::format("must be 1 to {} visible ASCII characters without space, \" and \\", max_scope_bytes));
}

}  // namespace

bool is_scope(std::string_view text) {
  return !text.empty() && text.size() <= max_scope_bytes && std::all_of(text.begin(), text.end(), is_scope_character);
}

bool covers(const ScopeList& list, std::string_view scope) {
  return std::any_of(list.begin(), list.end(), [scope](std::string_view one) {
    return one == scope || (one.ends_with('*') && scope.starts_with(one.substr(0, one.size() - 1)));
  });
}

Result<ScopeList> read_scopes(const json::value& array, std::string_view pointer) {
  auto list = read_text_list<std::string>(array, pointer, "scopes", max_scopes, read_scope);
  if (!list || scopes_text(*list).size() <= max_scope_text_bytes) return list;
  return Error::invalid(std::string(pointer),
                        fmt::format("must be at most {} characters, with a space between two", max_scope_text_bytes));
}

Result<ScopeList> parse_scopes(std::string_view text) {
  if (text.size() > max_list_text_bytes) return Error::invalid("", "is too long for a list of scopes");
  const auto value = parse_json(text);
  return value ? read_scopes(*value, "") : value.error();
}

std::string scopes_json(const ScopeList& list) {
  std::string out = "[";
  for (const auto& scope : list) out += fmt::format("{}\"{}\"", out.size() > 1 ? "," : "", scope);
  return out + ']';
}

std::string scopes_text(std::span<const std::string> list) {
  std::string out;
  for (const auto& scope : list) {
    if (!out.empty()) out += ' ';
    out += scope;
  }
  return out;
}

}  // namespace latchkey

#pragma once

// What a key may be used for: scopes (RFC 6749, section 3.3), which the rules of a service ask for (rules/rule_table.hpp).
//
//   the list ["orders:read", "reports:*"] covers orders:read, reports:, reports:daily; not orders:write, not report
//
// No list at all is every scope, an empty list is none. A key's list stands in place of its plan's.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"

namespace latchkey {

constexpr std::size_t max_scopes = 32;
constexpr std::size_t max_scope_bytes = 64;
/// Of one list, with a space between two: it travels in a header.
constexpr std::size_t max_scope_text_bytes = 1024;
/// No list in scopes_json()'s form is longer.
constexpr std::size_t max_scopes_json_bytes = 1200;

/// No scope twice. A `*` at the end of one stands for any rest, also for none.
using ScopeList = std::vector<std::string>;

/// Visible ASCII without '"' and '\', at most max_scope_bytes.
bool is_scope(std::string_view text);

/// Whether one of the list is this scope, or ends in `*` and is how it begins.
bool covers(const ScopeList& list, std::string_view scope);

/// Reads a JSON array of texts. ErrorCode::invalid names everything that is wrong, at pointers below `pointer`
/// ("/scopes/0").
Result<ScopeList> read_scopes(const json::value& array, std::string_view pointer);
/// The same of a text, as a database has it.
Result<ScopeList> parse_scopes(std::string_view text);

/// `["a","b"]`: the one text of a list.
std::string scopes_json(const ScopeList& list);
/// `a b`: as headers have it.
std::string scopes_text(std::span<const std::string> list);

}  // namespace latchkey

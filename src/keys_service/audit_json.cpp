#include "keys_service/audit_json.hpp"

#include <algorithm>
#include <array>

#include "base/json_text.hpp"
#include "keys_service/key_json.hpp"

namespace latchkey::keys_service {
namespace {

/// The row, as it is shown in a change.
std::vector<JsonMember> row_of(const Change& change, Epoch epoch) {
  constexpr std::array<std::string_view, 4> rows = {"key", "signingKey", "plan", "user"};
  JsonWriter out;
  write(out, change, epoch);
  for (const JsonMember& member : members_of(out.take())) {
    if (std::ranges::find(rows, member.name) != rows.end()) return members_of(member.value);
  }
  return {};
}

/// What every change moves says nothing.
bool says_something(std::string_view member) {
  return member != "updatedAt" && member != "updatedBy" && member != "position";
}

void write_changed(JsonWriter& out, const Change& before, const Change& after, Epoch epoch) {
  const auto earlier = row_of(before, epoch);
  out.name("changed").begin_object();
  for (const JsonMember& member : row_of(after, epoch)) {
    const auto found = std::ranges::find(earlier, member.name, &JsonMember::name);
    if (!says_something(member.name) || (found != earlier.end() && found->value == member.value)) continue;
    out.name(member.name).begin_object();
    out.member("before", JsonText{found == earlier.end() ? std::string_view("null") : std::string_view(found->value)});
    out.member("after", JsonText{member.value}).end_object();
  }
  out.end_object();
}

}  // namespace

void write(JsonWriter& out, const store::AuditEntry& entry, Epoch epoch) {
  JsonWriter plain;
  write(plain, entry.change, epoch);
  const std::string change = plain.take();
  out.begin_object();
  for (const JsonMember& member : members_of(change)) out.member(member.name, JsonText{member.value});
  if (entry.before) write_changed(out, *entry.before, entry.change, epoch);
  const std::pair<std::string_view, const std::string&> notes[] = {{"reason", entry.note.reason},
                                                                   {"remoteAddress", entry.note.address},
                                                                   {"userAgent", entry.note.user_agent},
                                                                   {"databaseRole", entry.note.role},
                                                                   {"application", entry.note.application}};
  for (const auto& [name, text] : notes) {
    if (!text.empty()) out.member(name, text);
  }
  out.end_object();
}

}  // namespace latchkey::keys_service

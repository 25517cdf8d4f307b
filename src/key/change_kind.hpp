#pragma once

// Kinds of change, by number: the number of a kind is that of the schema (store/schema_version.hpp) that brought it. A
// reader of an older release does not understand kinds that came later. Each replica reports the newest kind that it
// understands, and a change of a newer one is never taken to be enforced by it (replica/verdict.hpp).
//
//   1    access keys and signing keys, as release 0.1.0 has them
//   3    plans, users, and access keys with a plan, or limits besides requestsPerMinute
//   4    access keys and plans with scopes or networks, and access keys with labels
//
// Schema 2 brought no kind. A migration that brings one sets newest_change_kind to its own number, and kind_of() to
// return that for changes that hold anything of it: a row of a new table, or a member of a key that an older replica
// would pass over.

#include <cstdint>

#include "key/change.hpp"

namespace latchkey {

inline constexpr std::uint32_t oldest_change_kind = 1;
/// The newest one that this release understands.
inline constexpr std::uint32_t newest_change_kind = 4;

/// What a reader must understand to apply this change.
inline std::uint32_t kind_of(const AccessKey& key) {
  if (has_access_rules(key) || !key.labels.empty()) return 4;
  return has_terms(key) ? 3 : 1;
}
inline std::uint32_t kind_of(const SigningKey&) { return 1; }
inline std::uint32_t kind_of(const Plan& plan) { return has_access_rules(plan) ? 4 : 3; }
inline std::uint32_t kind_of(const User&) { return 3; }
inline std::uint32_t kind_of(const Change& change) {
  return std::visit([](const auto& row) { return kind_of(row); }, change.row);
}

}  // namespace latchkey

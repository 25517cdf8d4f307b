#pragma once

// The audit trail: the change log, asked by what an auditor knows, with what is noted beside each change.
//
// `changes` is the log that replicas follow, and stays as it is. Beside it stands a table `audit`, by seq: from where and
// why a command came, or by which role a row was changed by hand.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "key/change.hpp"
#include "key/key_id.hpp"

namespace latchkey::store {

constexpr std::size_t max_reason_bytes = 512;

/// What is noted beside a change; each may be empty: unknown.
struct AuditNote {
  std::string address;      // from which the command came
  std::string user_agent;   // of its client
  std::string reason;       // as the command gave it
  std::string role;         // of the database, by which a row was changed by hand
  std::string application;  // with which: application_name of the session; of the embedded store "sqlite"
  bool operator==(const AuditNote&) const = default;
};

struct AuditQuery {
  bool newest_first = false;
  /// Exclusive, in the order that is asked for: where the page before ended.
  std::optional<Seq> after{};
  std::optional<KeyId> key_id{};
  std::optional<std::string> user_id{};  // of a key or a user
  std::optional<std::string> actor{};
  std::optional<UnixMillis> since{};  // inclusive
  std::optional<UnixMillis> until{};  // exclusive
  std::size_t limit = 100;            // 1 to 1,000
};

struct AuditEntry {
  Change change;
  std::optional<Change> before{};  // the change of the same row before it; none: it made the row
  AuditNote note{};
};

struct AuditPage {
  std::vector<AuditEntry> entries;
  bool more = false;
};

/// `at` of changes grows with seq, but for those of clocks that were set back and of edits by hand. A filter by time is
/// exact where no change stands further from its place than so many.
constexpr std::int64_t most_out_of_order = 10'000;

/// Whether both are changes of one row.
bool same_row(const Change& one, const Change& other);

/// The first octets that are whole characters, at most so many.
std::string clipped(std::string_view text, std::size_t most);

}  // namespace latchkey::store

#pragma once

// What the commands on plans and users share: rows that have a name of their own, and how a change of one reaches the
// store.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "commands/issue.hpp"
#include "commands/key_change.hpp"
#include "store/key_store.hpp"

namespace latchkey::commands {

template <class Row>
std::optional<Version> version_of(const std::optional<Row>& row) {
  return row ? std::optional(row->version) : std::nullopt;
}

/// Which row a PUT may meet (RFC 9110, 13.1; RFC 6585, 3): none, or one of these versions.
struct PutCondition {
  std::optional<Precondition> if_match;  // nullopt: no such header
  bool create_only = false;              // If-None-Match: *
};

/// ErrorCode::precondition_required where there is a row and nothing was said of it, else precondition_failed.
Result<void> check_put(const PutCondition& condition, std::optional<Version> current_version);

/// What a PATCH or DELETE of `what`, "plan" or "user", meets: ErrorCode::not_found where there is no row,
/// precondition_failed where it has another version.
Result<void> check_meets(const Precondition& precondition, std::optional<Version> current_version,
                         std::string_view what);

template <class Row>
struct NewNamedRow {
  Row row;
  std::string_view action;
};

/// nullopt: the row is so already; nothing is written.
template <class Row>
using NamedDecision = Result<std::optional<NewNamedRow<Row>>>;

/// `action` of the change, "user-create" and the like; empty: none was made.
template <class Row>
struct NamedAnswer {
  Row row;
  LogEnd commit;
  std::string action;
};
template <class Row>
using NamedDone = std::move_only_function<void(Result<NamedAnswer<Row>>)>;

/// `current`: nullopt where there is none, or it is deleted.
template <class Row>
using DecideNamed = std::function<NamedDecision<Row>(store::Transaction&, const std::optional<Row>& current)>;
/// After the row was written, in the same transaction: an error takes it back.
template <class Row>
using CheckNamed = std::function<Result<void>(store::Transaction&, const std::optional<Row>& before, const Row& after)>;

/// One transaction: a repetition by its idempotency key answers what the first one made (issue.hpp), else finds, decides,
/// writes and checks.
template <class Row>
void change_named(store::KeyStore& store, std::string name, const Author& author,
                  const std::optional<IdempotencyKey>& idempotency, DecideNamed<Row> decide, CheckNamed<Row> check,
                  NamedDone<Row> done);

/// `next` signed by its author, after `current` in time; nullopt where nothing differs.
template <class Row>
std::optional<NewNamedRow<Row>> if_named_changed(const std::optional<Row>& current, Row next, std::string_view action,
                                                 const Author& author);

/// ErrorCode::invalid at /plan unless there is such a plan.
Result<std::optional<Plan>> find_named_plan(store::Transaction& transaction, const std::optional<std::string>& name);
/// ErrorCode::no_limit, naming the first ten, if keys of this scope have no limit in force now.
Result<void> check_limits_left(store::Transaction& transaction, const store::TermsScope& scope);
/// ErrorCode::invalid at /limits, naming the first ten, if keys of this scope have more than max_limits limits in force now.
Result<void> check_limits_fit(store::Transaction& transaction, const store::TermsScope& scope);
/// ErrorCode::invalid at /limits/<n>/timeZone for a zone that this machine's tzdata does not know.
Result<void> check_time_zones(const LimitList& limits);

}  // namespace latchkey::commands

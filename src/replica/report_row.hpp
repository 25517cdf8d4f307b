#pragma once

// A report as a row of the table `replicas`, which the stores that have one keep alike.

#include "base/error.hpp"
#include "replica/replica_report.hpp"

namespace latchkey::replica {

constexpr const char* select_reports =
    "SELECT id, name, number, stopped, applied, applied_nonce, view_age_ms, max_staleness_ms, started_at, reported_at"
    " FROM replicas";

/// A row of select_reports; `stopped` as the driver reads it. `unavailable` when it is no report.
template <class Row>
Result<ReplicaReport> read_report(const Row& row, bool stopped) {
  ReplicaReport report;
  const auto id = ReplicaId::parse(row.text(0));
  const auto applied = row.is_null(4) ? std::nullopt : Position::parse(row.text(4));
  if (!id || (!row.is_null(4) && !applied)) return Error(ErrorCode::unavailable, "a report that is none");
  report.id = *id;
  report.name = row.text(1);
  report.number = static_cast<std::uint64_t>(row.integer(2));
  report.phase = stopped ? Phase::stopped : Phase::running;
  report.applied = applied;
  report.applied_nonce = static_cast<std::uint64_t>(row.integer(5));
  report.view_age = std::chrono::milliseconds(row.integer(6));
  report.max_staleness = std::chrono::milliseconds(row.integer(7));
  report.started_at = {row.integer(8)};
  report.reported_at = {row.integer(9)};
  return report;
}

}  // namespace latchkey::replica

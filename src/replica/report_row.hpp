#pragma once

// A report as a row of the table `replicas`, which the stores that have one keep alike.

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "replica/replica_report.hpp"

namespace latchkey::replica {

constexpr const char* select_reports =
    "SELECT id, name, number, stopped, applied, applied_nonce, view_age_ms, max_staleness_ms, started_at, reported_at,"
    " understands FROM replicas";
/// Of a table of release 0.1.0, which does not say it.
constexpr const char* select_reports_of_schema_1 =
    "SELECT id, name, number, stopped, applied, applied_nonce, view_age_ms, max_staleness_ms, started_at, reported_at,"
    " 1 AS understands FROM replicas";

/// It may be a serving replica's, so it is not passed over: that would confirm what is not enforced.
inline Error no_report(std::string_view id, std::string_view name) {
  return Error(
      ErrorCode::unavailable,
      fmt::format("the table \"replicas\" has a row that is no report, of id \"{}\" and name \"{}\": end the replica "
                  "that writes it, if there is one, and delete the row",
                  printable(id.substr(0, 64)), printable(name.substr(0, 100))));
}

/// A row of select_reports; `stopped` as the driver reads it. `unavailable` when it is no report.
template <class Row>
Result<ReplicaReport> read_report(const Row& row, bool stopped) {
  ReplicaReport report;
  const auto id = ReplicaId::parse(row.text(0));
  const auto applied = row.is_null(4) ? std::nullopt : Position::parse(row.text(4));
  if (!id || (!row.is_null(4) && !applied)) return no_report(row.text(0), row.text(1));
  report.id = *id;
  report.name = row.text(1);
  report.number = static_cast<std::uint64_t>(row.integer(2));
  report.phase = stopped ? Phase::stopped : Phase::running;
  report.applied = applied;
  report.applied_nonce = Nonce{static_cast<std::uint64_t>(row.integer(5))};
  report.view_age = std::chrono::milliseconds(row.integer(6));
  report.max_staleness = std::chrono::milliseconds(row.integer(7));
  report.started_at = {row.integer(8)};
  report.reported_at = {row.integer(9)};
  report.understands = static_cast<std::uint32_t>(std::clamp<std::int64_t>(row.integer(10), 0, UINT32_MAX));
  auto sound = checked(std::move(report));
  return sound ? Result<ReplicaReport>(std::move(*sound)) : no_report(row.text(0), row.text(1));
}

}  // namespace latchkey::replica

#pragma once

#include <memory>

#include "replica/replica_reporter.hpp"
#include "store/postgres/back_off.hpp"
#include "store/postgres/connection.hpp"

namespace latchkey::replica {

/// Writes to the table `replicas` (store/postgres/schema.sql), on a connection of its own that is made when needed: the
/// reports of one replica, or as a relay those of many. An older report never takes the place of a newer one.
///
/// What makes a row is durable, so that a server that crashes comes back knowing who serves. What a row says next need
/// not be, and waits for no disk: it is said again a moment later, and if it is lost, the replica only looks more
/// silent than it was.
class PostgresReporter final : public ReplicaReporter {
 public:
  explicit PostgresReporter(store::postgres::Url url) : url_(std::move(url)) {}

  Result<std::uint64_t> report(const ReplicaReport& report) override;

 private:
  Result<void> make_sure_of_connection();
  Result<void> write(const ReplicaReport& report);
  Result<void> enter(const store::postgres::Parameters& values);

  const store::postgres::Url url_;
  std::unique_ptr<store::postgres::Connection> connection_;
  store::postgres::BackOff back_off_;
};

}  // namespace latchkey::replica

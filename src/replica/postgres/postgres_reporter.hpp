#pragma once

#include "replica/replica_reporter.hpp"
#include "store/postgres/link.hpp"

namespace latchkey::replica {

/// Writes to the table `replicas` (store/postgres/migrations), on a connection of its own that is made when needed: the
/// reports of one replica, or as a relay those of many. An older report never takes the place of a newer one.
///
/// What makes a row is on the primary's disk before it is known, so that a server that crashes comes back knowing which
/// replicas serve. It does not wait for a synchronous standby: one that is promoted without the row is another life of
/// the registry, and nothing is confirmed by it until every replica that serves must be in it again
/// (postgres_registry.hpp). What a row says next waits for no disk: it is said again a moment later, and if it is lost,
/// the replica only looks more silent than it was.
///
/// Where the database is a copy (a restored dump, what a subscriber of logical replication was) that no management
/// service commits to, it is ErrorCode::unavailable: a service at the original confirms without looking here.
class PostgresReporter final : public ReplicaReporter {
 public:
  enum class Scope : std::uint8_t { one_replica, many };
  explicit PostgresReporter(store::postgres::Url url, Scope scope = Scope::one_replica);

  Result<std::uint64_t> report(const ReplicaReport& report) override;

 private:
  using Connection = store::postgres::Connection;
  Result<void> prepare(Connection& opened);
  Result<bool> write(Connection& connection, const ReplicaReport& report) const;
  Result<void> check_home(Connection& connection) const;

  const Scope scope_;
  store::postgres::Link link_;
  std::string home_;  // what meta.home is where a management service commits here
};

}  // namespace latchkey::replica

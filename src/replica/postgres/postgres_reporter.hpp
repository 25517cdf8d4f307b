#pragma once

#include <memory>

#include "replica/replica_reporter.hpp"
#include "store/postgres/back_off.hpp"
#include "store/postgres/connection.hpp"

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
  explicit PostgresReporter(store::postgres::Url url, Scope scope = Scope::one_replica)
      : url_(std::move(url)), scope_(scope) {}

  Result<std::uint64_t> report(const ReplicaReport& report) override;

 private:
  Result<void> make_sure_of_connection();
  Result<bool> write(const ReplicaReport& report);
  Result<void> prepare(store::postgres::Connection& connection);
  Result<void> check_home();
  Result<bool> enter(const store::postgres::Parameters& values);
  Result<std::uint64_t> number_of(const ReplicaId& id);

  const store::postgres::Url url_;
  const Scope scope_;
  std::unique_ptr<store::postgres::Connection> connection_;
  store::postgres::BackOff back_off_;
  std::optional<Error> failed_;  // the last attempt to connect, until the next
  std::string home_;             // what meta.home is where a management service commits here
};

}  // namespace latchkey::replica

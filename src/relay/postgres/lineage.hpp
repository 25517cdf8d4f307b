#pragma once

#include <optional>

#include "relay/succession.hpp"
#include "store/postgres/link.hpp"

namespace latchkey::relay {

/// Asks the primary which timeline it writes, on a connection of its own. One thread.
class PostgresLineage {
 public:
  explicit PostgresLineage(store::postgres::Url url) : link_(std::move(url), store::postgres::Server::any) {}

  /// nullopt: of a standby, which writes none. ErrorCode::unavailable where it cannot be asked.
  Result<std::optional<Lineage>> read();

 private:
  store::postgres::Link link_;
};

}  // namespace latchkey::relay

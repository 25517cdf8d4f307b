#pragma once

#include <memory>
#include <optional>

#include "relay/succession.hpp"
#include "store/postgres/back_off.hpp"
#include "store/postgres/connection.hpp"

namespace latchkey::relay {

/// Asks the primary which timeline it writes, on a connection of its own. One thread.
class PostgresLineage {
 public:
  explicit PostgresLineage(store::postgres::Url url) : url_(std::move(url)) {}

  /// nullopt: of a standby, which writes none. ErrorCode::unavailable where it cannot be asked.
  Result<std::optional<Lineage>> read();

 private:
  Result<void> make_sure_of_connection();

  const store::postgres::Url url_;
  std::unique_ptr<store::postgres::Connection> connection_;
  store::postgres::BackOff back_off_;
};

}  // namespace latchkey::relay

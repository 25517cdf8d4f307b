#pragma once

#include <functional>
#include <memory>

#include "base/retry_backoff.hpp"
#include "store/postgres/connection.hpp"

namespace latchkey::store::postgres {

/// A connection that is opened when it is needed and opened again after it was lost; after a failed attempt no other is
/// made for a pause that doubles from 20 ms to 1 s, in which get() repeats the last failure. One thread at a time. As
/// redis::Link.
class Link {
 public:
  using Prepare = std::function<Result<void>(Connection&)>;
  /// `prepare`: done on each new connection; empty: nothing.
  Link(Url url, Server server, Prepare prepare = {})
      : url_(std::move(url)), server_(server), prepare_(std::move(prepare)) {}

  /// Valid until the next drop_if_lost(). `deadline`: as Connection::open() has it.
  Result<Connection*> get(Connection::Time deadline = Connection::Time::max());
  /// The connection that is open; null: none.
  Connection* current() const { return connection_.get(); }
  /// After a statement that failed.
  void drop_if_lost();

 private:
  const Url url_;
  const Server server_;
  const Prepare prepare_;
  std::unique_ptr<Connection> connection_;
  NextAttempt<Connection::Time> attempt_;
  Error last_failure_;
};

}  // namespace latchkey::store::postgres

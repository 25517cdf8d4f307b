#pragma once

// What a confirmation must know of the store's log, asked anew for each round: which of the changes that are spoken of
// it has. A log that was put back to an older state and grew again has other changes at the same seqs, and only a
// change's nonce tells (feed/log_end.hpp).

#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "base/error.hpp"
#include "key/position.hpp"
#include "replica/verdict.hpp"
#include "store/key_store.hpp"

namespace latchkey::replica {

/// What the log says of one change.
struct LoggedChange {
  Nonce nonce;
  std::uint32_t kind = oldest_change_kind;
};

/// The store, as far as it is asked. Any thread.
struct StoreLog {
  std::function<Result<Position>()> end;
  /// The change at `seq`, which is not 0; nullopt: there is none.
  std::function<Result<std::optional<LoggedChange>>(Seq seq)> at;

  /// `store` outlives it.
  static StoreLog of(store::KeyStore& store);
};

/// The log within one round: each question is put to the store once, when it first comes up. One thread.
class LogSnapshot {
 public:
  explicit LogSnapshot(const StoreLog& log) : log_(log) {}

  /// The change there; nullopt: the log, as it is now, is of another epoch or has none.
  Result<std::optional<LoggedChange>> at(Position position);
  /// Whether the log has this very change at its seq, whatever epoch the log is of now: `commit` is of its epoch then,
  /// and of its kind. A failover that lost nothing begins another epoch of the same history.
  Result<bool> find(Commit& commit);
  /// Whether the log has this very change, and so everything before it.
  Result<bool> has(Position position, Nonce nonce);

 private:
  const StoreLog& log_;
  std::optional<Result<Position>> end_;
  std::map<Seq, Result<std::optional<LoggedChange>>> changes_;
};

}  // namespace latchkey::replica

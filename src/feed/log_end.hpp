#pragma once

// How a reader notices that a log is not the one it has been reading.

#include <cstdint>
#include <optional>

#include "feed/change_feed.hpp"
#include "key/position.hpp"

namespace latchkey::feed {

/// What one read sees of a log.
struct LogState {
  LogEnd end;
  std::optional<Nonce> nonce_at_known;  // of the change at the seq of the end seen before
};

/// Why the log cannot be continued from `after` by a reader that saw it end at `known` before, if so. Beyond another
/// epoch and a seq that went back: a backup restored and grown past our position again has the same epoch and the same
/// seqs with another history, and only the nonce of a change tells. Nonces are drawn anew for each change, so one equal
/// nonce at `known` vouches for everything before it.
inline std::optional<FeedError> discontinuity_of(const LogState& sight, Position after,
                                                 const std::optional<LogEnd>& known) {
  const Position end = sight.end.position;
  if (end.epoch != after.epoch) return FeedError{FeedError::Kind::reload, "the database has another epoch"};
  if (end.seq < after.seq) return FeedError{FeedError::Kind::reload, "the log ends before our position"};
  if (!known || known->position.epoch != end.epoch || known->position.seq == Seq{}) return std::nullopt;
  if (end.seq < known->position.seq) return FeedError{FeedError::Kind::reload, "the log went back"};
  if (sight.nonce_at_known != known->nonce) return FeedError{FeedError::Kind::reload, "the log forked"};
  return std::nullopt;
}

}  // namespace latchkey::feed

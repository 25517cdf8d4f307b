#pragma once

#include <cstdint>

namespace latchkey::simulation::propagation {

/// What can be planted, to see that the simulation finds it.
enum class Bug : std::uint8_t {
  none,
  gap_ignored,                    // a reader goes on behind a hole in the log
  snapshot_position_read_after,   // rows first, then the position they are said to be of
  trim_before_snapshot_complete,  // the log is cut, and the snapshot named, while its chunks are still being written
  epoch_ignored,                  // a reader takes the stream for that of the store it knows
  fork_ignored,                   // a reader takes any change at its seq for the one it has
  verdict_by_position,            // a replica counts as enforcing by its position, on whatever history
  heartbeat_trusted_on_arrival,   // a reader that hears of a heartbeat holds itself current as of now
  ack_before_apply,               // a replica reports what it has read, not what it has applied
  changes_out_of_order,           // a relay appends what it has read in another order than the store has it
  append_without_seq_check,       // each relay appends what it has
  ticks_of_any_connection,        // a reader compares ticks of two servers
  heartbeat_over_any_connection,  // a relay writes a heartbeat for a tick that it raised at another server
  stream_ahead_of_store_ignored,  // a relay vouches for more than it has read of the store
};

}  // namespace latchkey::simulation::propagation

#pragma once

// A replica's own copy of its view, so that it starts and serves while everything else is down.
//
//   file      magic "LKVIEW1\n"  source:8  epoch:8  crc:4  record*
//   record    size:4  crc:4  payload                  crc: CRC-32 (ISO 3309) of the bytes before it, or of the payload
//   payload   'r' rows                                feed/record.hpp
//             'p' seq:8 nonce:8 as_of:8 boot          the rows so far are the state at seq; as_of in nanoseconds of
//                                                     CLOCK_BOOTTIME in the boot of that id: it was current then
//
// Numbers are little-endian. `source` is a hash of what the replica reads (another store's file is not ours). Rows may
// be newer than the position and may repeat; the highest version of each counts, as in any snapshot.
//
// A file is good up to its last position before the first record that is cut or broken, and nothing without one: so it
// may be appended to and the writer killed at any moment. It appears whole, by rename.

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "feed/change_feed.hpp"

namespace latchkey::feed::snapshot_file {

constexpr std::size_t max_payload_bytes = 1U << 20U;

/// What a file says of itself.
struct Mark {
  LogEnd end;
  std::string boot_id;  // of the machine's boot in which as_of was measured; at most 64 bytes
  BootTime as_of;
  bool operator==(const Mark&) const = default;
};

std::string header(std::string_view source, Epoch epoch);
std::string rows_record(std::string_view rows);
std::string mark_record(const Mark& mark);

/// Reads through the whole file; nullopt when nothing of it can be used, with the reason in `why`.
struct Usable {
  Mark mark;
  std::uint64_t bytes = 0;  // up to and including the last good mark
};
std::optional<Usable> examine(std::istream& file, std::string_view source, std::string& why);
/// Hands over the rows of a file that was examined. False when it reads differently now.
bool hand_over(std::istream& file, const Usable& usable, SnapshotSink& sink);

}  // namespace latchkey::feed::snapshot_file

#pragma once

// What a process of a replica leaves to the next one on the same data directory, so that one that was killed goes on as
// the replica it was: with its own snapshot file it serves at once even where nobody can be told that it does. For the
// registry nothing has happened: the same id, later numbers, and the same end of what may be served.
//
// The proof of replica/replica_registry.hpp holds over the two lives as over one:
//   - the successor decides only until `open_until`, which follows from a report of that id that was known (2), and by
//     views current as of `view_from` or later (3);
//   - what was reported as applied is in its view: it decides only once that stands at `applied` or later;
//   - nothing of this is told after "stopped": the file is removed before that is said.
// It is written before each report is sent, so it is never behind what anybody was told.
//
// Where a successor cannot go on as it, since it was killed before its gate had opened or its view had loaded, it is
// another replica, and says at least that the one before has ended: it has the lock that the other one had. Otherwise a
// row that nobody writes any more would be waited for until it is fenced. Under another lock the one before may still
// run (its lock's file was removed under it), and nothing is said of it.
//
// There is one successor: the line names the very file that it stands in, and is nothing in a copy of it: the
// original may still run under that id. A copy that is put back into that file in place keeps its name, and is older
// than what was reported since: so the line also says when it was written, and is nothing where the kernel says that
// the file was changed at another time. Example: written at 12:00:00, copied, the replica killed at 12:00:05, the copy
// put back at 12:00:07: the kernel says 12:00:07. (One that is put back within `slack` of its own writing is not told
// apart by this, but by the registry, which has a later report.)

#include <filesystem>
#include <optional>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "replica/replica_report.hpp"

namespace latchkey::replica {

struct Inheritance {
  ReplicaId id;
  std::uint64_t number = 0;         // of the newest report that may have been sent
  std::optional<Position> applied;  // as reported last; nullopt: its view was not complete, and nobody goes on as it
  std::chrono::milliseconds max_staleness{0};
  BootTime view_from;   // as the gate had it
  BootTime open_until;  // likewise
  std::string lock;     // names the file of the lock that it had (base/file_name.hpp)

  bool operator==(const Inheritance&) const = default;
};

/// One file of one line, in the data directory that the replica has locked. One thread.
class SuccessorState {
 public:
  /// `boot_id` says in which boot the BootTimes mean something: a file of another one is none.
  SuccessorState(std::filesystem::path path, std::string boot_id);
  SuccessorState(const SuccessorState&) = delete;
  SuccessorState& operator=(const SuccessorState&) = delete;

  /// How long a write may take from when its time is read.
  static constexpr std::chrono::milliseconds slack{250};

  /// What a predecessor left; nullopt where there is nothing, or nothing that can be used: a copy, for one.
  std::optional<Inheritance> take() const;
  /// False, and nothing is left, where it cannot be written.
  bool leave(const Inheritance& inheritance);
  /// Nothing is left.
  void leave_nothing();

 private:
  void open();

  const std::filesystem::path path_;
  const std::string boot_id_;
  Descriptor descriptor_{-1};
  std::string file_;  // what names the file behind it
};

}  // namespace latchkey::replica

#pragma once

// Which processes run on a data directory. A lock belongs to an open file: the kernel lets go of it when the process
// ends, however it ends, so a killed service can start again at once.

#include <filesystem>

#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace latchkey::data_dir {

/// Holds for its life.
using RunLock = Descriptor;

/// ErrorCode::conflict where another process (or this one) holds it; unavailable where the file cannot be opened.
Result<RunLock> take_run_lock(const std::filesystem::path& file);

/// Whether `lock` still is that of the file at `file`, by which others find it. Where that was removed or replaced, the
/// lock of the file that is there is taken in its place, if nobody has it.
bool hold_run_lock(RunLock& lock, const std::filesystem::path& file);

/// Beside other processes that share it. ErrorCode::conflict where another process holds it alone.
Result<RunLock> share_run_lock(const std::filesystem::path& file);

/// Whether anyone holds it. To find out it shares the lock for a moment, so a process that takes it must try more than
/// once.
bool is_run_locked(const std::filesystem::path& file);

}  // namespace latchkey::data_dir

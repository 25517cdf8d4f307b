#pragma once

// Whether a directory may hold a database and secrets: by which users can read and write there.
//
// On a machine it is our own, and ours alone (0700). On a volume that an orchestrator gives to a group (Kubernetes'
// fsGroup, OpenShift's arbitrary uid) it belongs to root or to the user of an earlier run, and we get in by a group of
// ours; then that group's members are trusted with the volume, which is what it was given to them for, and nobody else
// may write to it.

#include <cstdint>
#include <filesystem>

#include "base/error.hpp"

namespace latchkey::data_dir {

enum class Tenure : std::uint8_t { own, group };

/// How the directory is ours; makes it, 0700, where it is missing. What others than its owner may do in a directory of
/// our own is taken away where it is reading, and refused where it is writing, since something may be there already.
/// ErrorCode::unavailable, with uid, mode and remedy, for one that is neither our own nor given to a group of ours.
Result<Tenure> private_directory(const std::filesystem::path& path);

/// The same for one inside of a directory that is ours by `tenure`.
Result<void> private_directory_in(Tenure tenure, const std::filesystem::path& path);

/// Makes every file in `directory` 0600 and our own: an orchestrator opens all files of a volume to its group at each
/// start, and another uid may have written them.
Result<void> keep_secrets(const std::filesystem::path& directory);

}  // namespace latchkey::data_dir

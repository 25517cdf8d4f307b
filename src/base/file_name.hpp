#pragma once

// Tells a file from its copies.

#include <cstdint>
#include <filesystem>
#include <string>

namespace latchkey {

/// An identity that no copy of the file shares: device, inode, and the time when the inode was made, since an inode's
/// number may be given again. Empty where there is no such name: no file, or one with a second hard link, which may
/// hold what somebody else left.
std::string file_name_of(int descriptor);
/// The same without opening it. Follows no symbolic link.
std::string file_name_of(const std::filesystem::path& path);

/// When the inode was last changed in any way, nanoseconds since 1970 by the kernel's clock; 0: unknown. Nobody can
/// set it, so it tells of a copy that was written into the file in place, which keeps the file's name.
std::int64_t changed_at(int descriptor);

}  // namespace latchkey

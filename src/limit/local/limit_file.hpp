#pragma once

// The local limiter's memory across kill -9 and restarts.
//
//   file    = header, zeros up to 4,096 bytes, then extents of 4,096 blocks (KeyBlock, 320 bytes; all zero: vacant)
//   header  = magic, layout, block size, inode, `recording_since_ms`, boot, CRC-32 of all these, `incomplete`,
//            `reach`, `marked_at`, `birth`
//
// It is mapped shared, so what a killed process stored is there for the next one, without a write or an fsync: the file
// outlives processes, not the machine, and need not, since permits come back within 61 s. It lends nothing to another
// boot (stamps are of this boot's clock), another layout, a copy (another inode, or one made at another time), one cut
// short, or that has a header with a wrong checksum: of such a file, or where there is none, the past is unknown, and
// the limiter admits nothing until it no longer matters. `recording_since_ms` says since when this file knows all, so
// that a crash within that wait does not end it.
//
// A copy that is written into the same file in place has its inode. So the process writes the time into `marked_at` ten
// times a second (mark()), and the kernel notes when the file was last changed, which nobody can set: the two are
// within `slack` of each other after the last mark, however the process ends. Example: copied at 12:00:00 with
// `marked_at` 12:00:00, killed at 12:00:05, put back at 12:00:07: the kernel says 12:00:07, and the permits of those
// five seconds are not believed to be unused. A copy that is put back less than `slack` after it was taken passes.
//
// No lock lives in the file, so none can be held by the dead: one process has it, by flock, for its life.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/boot_id.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/mapping_guard.hpp"

namespace latchkey::limit {

/// Whether anything can have been admitted before, by a process that kept its permits in this file.
enum class PriorRun : std::uint8_t {
  none,     // certainly not: here begins a new installation
  possible  // a missing or unusable file is lost memory
};

/// One mapping of fixed address; its front part is backed by the file as far as it reaches.
class LimitFile {
 public:
  static constexpr std::size_t header_bytes = 4096;
  static constexpr std::size_t block_bytes = 320;
  static constexpr std::uint32_t extent_blocks = 4096;  // whole pages: 1.25 MiB
  static constexpr std::size_t extent_bytes = extent_blocks * block_bytes;
  static constexpr std::uint32_t max_blocks = std::uint32_t{1} << 26;  // 20 GiB of addresses, none of memory

  /// How long after a mark a killed process may have changed the file: ten times what lies between two.
  static constexpr std::chrono::milliseconds slack{1000};
  /// Where `marked_at` stands, nanoseconds of CLOCK_REALTIME_COARSE: for tests that write a file of their own.
  static constexpr std::size_t marked_at_offset = 136;

  /// Nothing behind it: what a process without a file uses.
  LimitFile();
  /// Creates what is missing, 0600. ErrorCode::conflict while another process has it, unavailable where it cannot be
  /// opened. A full disk is no error: then it reaches nowhere.
  static Result<LimitFile> open(const std::filesystem::path& path, const BootId& boot, const Clock& clock,
                                PriorRun prior_run);

  LimitFile(LimitFile&& other) noexcept;
  LimitFile& operator=(LimitFile&&) = delete;
  ~LimitFile();

  std::byte* blocks() const { return map_ + header_bytes; }
  /// How many blocks the file holds. At the start: what an earlier process left.
  std::uint32_t reach() const { return reach_; }
  /// One extent more. False where there is no room for it: the rest of the addresses is plain memory then, and the
  /// next process finds the file marked as incomplete.
  bool extend();
  bool continues_in_memory() const { return in_memory_ || was_cut(); }
  /// Somebody has shortened the file under the mapping, and all that was in it is gone: ask before what was read in it
  /// is believed. Any thread.
  bool was_cut() const { return guard_ != nullptr && guard_->was_cut(); }
  /// Gives back the extents behind the first `blocks` blocks; nobody may use them.
  void cut_back(std::uint32_t blocks);

  /// To be called ten times a second, by one thread: says that what the file holds now is of now.
  void mark() const;
  /// Whether the next process will find this file: false once another, or none, is at its path.
  bool is_at_its_path() const;

  /// Milliseconds since boot; of what was admitted before, nothing is known. Long ago where all is known.
  std::int64_t recording_since_ms() const { return recording_since_ms_; }
  /// Why it knows nothing of before; empty where it does, or there was nothing.
  std::string_view why_past_is_unknown() const { return why_; }

 private:
  struct Header;
  explicit LimitFile(int fd) : fd_(fd) {}
  Header& header() const;
  std::string_view fault(const BootId& boot, std::uint64_t inode, std::int64_t now_ms, std::uint64_t bytes) const;
  std::string_view fault_of_copy(std::uint64_t inode) const;
  void begin_anew(const BootId& boot, std::uint64_t inode, std::int64_t recording_since_ms);
  void set_reach(std::uint32_t blocks);
  void continue_in_memory(std::size_t from);

  int fd_ = -1;
  std::filesystem::path path_;
  std::string name_;  // base/file_name.hpp
  std::byte* map_ = nullptr;
  std::unique_ptr<MappingGuard> guard_;  // of the map, where a file is behind it
  std::uint32_t reach_ = 0;
  bool in_memory_ = false;
  bool has_header_ = false;  // known before other threads come
  std::int64_t recording_since_ms_ = 0;
  std::string_view why_;
};

}  // namespace latchkey::limit

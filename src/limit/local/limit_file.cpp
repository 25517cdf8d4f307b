#include "limit/local/limit_file.hpp"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/crc.hpp>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <functional>
#include <limits>
#include <new>
#include <stdexcept>
#include <utility>

#include "base/file_error.hpp"
#include "base/file_name.hpp"
#include "base/log.hpp"
#include "base/regular_file.hpp"

namespace latchkey::limit {
namespace {

constexpr std::array<char, 16> magic{"latchkey limits"};
constexpr std::uint32_t layout = 1;  // of header and blocks, down to the rings and buckets: any change is another one
constexpr std::int64_t always = std::numeric_limits<std::int32_t>::min();  // long before any boot time that matters
constexpr std::size_t map_bytes = LimitFile::header_bytes + LimitFile::max_blocks * LimitFile::block_bytes;

std::byte* map_or_throw(int flags, int fd) {
  void* map = ::mmap(nullptr, map_bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (map == MAP_FAILED) {
    throw std::runtime_error(fmt::format(
        "limits: cannot map {} GiB of addresses ({}); hardly any of it is memory: raise the bound on address space "
        "(RLIMIT_AS, ulimit -v)",
        map_bytes >> 30U, std::strerror(errno)));
  }
  return static_cast<std::byte*>(map);
}

/// The kernel's own clock for the times of files.
std::int64_t file_time() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// What of a file's name changes where its inode's number is given again; 0: it has none.
std::uint64_t birth_of(const std::string& name) { return name.empty() ? 0 : std::hash<std::string>{}(name) | 1U; }

}  // namespace

struct LimitFile::Header {
  std::array<char, 16> magic;
  std::uint32_t layout;
  std::uint32_t block_bytes;
  std::uint64_t inode;
  std::int64_t recording_since_ms;
  std::array<char, 80> boot;
  std::uint32_t crc;         // of all above
  std::uint32_t incomplete;  // 1: permits were also given that are not in this file
  std::uint32_t reach;       // blocks that the file has at least: never more than it has, while nobody shortens it
  std::int64_t marked_at;    // by the kernel's clock for files; 0: written by a version that did not mark
  std::uint64_t birth;       // of the inode; 0: the same, or unknown

  std::uint32_t sum() const {
    boost::crc_32_type crc32;
    crc32.process_bytes(this, offsetof(Header, crc));
    return crc32.checksum();
  }
  static std::array<char, 80> padded(const BootId& id) {
    std::array<char, 80> text{};
    std::copy_n(id.text.data(), std::min(id.text.size(), text.size()), text.data());
    return text;
  }
};

LimitFile::LimitFile()
    : map_(map_or_throw(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1)),
      in_memory_(true),
      recording_since_ms_(always) {}

LimitFile::LimitFile(LimitFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      name_(std::move(other.name_)),
      map_(std::exchange(other.map_, nullptr)),
      guard_(std::move(other.guard_)),
      reach_(other.reach_),
      in_memory_(other.in_memory_),
      has_header_(std::exchange(other.has_header_, false)),
      recording_since_ms_(other.recording_since_ms_),
      why_(other.why_) {}

LimitFile::~LimitFile() {
  mark();
  guard_.reset();
  if (map_ != nullptr) ::munmap(map_, map_bytes);
  if (fd_ >= 0) ::close(fd_);
}

Result<LimitFile> LimitFile::open(const std::filesystem::path& path, const BootId& boot, const Clock& clock,
                                  PriorRun prior_run) {
  auto opened = open_regular(path, O_RDWR | O_CREAT);
  if (!opened) return opened.error();
  const int fd = opened->release();
  LimitFile file(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? Error(ErrorCode::conflict, path.string() + " is in use by another process")
                                : cannot("lock", path, errno);
  }
  struct stat status {};
  if (::fstat(fd, &status) != 0) return cannot("look at", path, errno);
  file.path_ = path;
  file.name_ = file_name_of(fd);
  file.map_ = map_or_throw(MAP_SHARED, fd);
  file.guard_ = std::make_unique<MappingGuard>(file.map_, map_bytes);
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  const std::int64_t now_ms = clock.boot().nanos / 1'000'000;
  if (bytes == 0 && prior_run == PriorRun::none) {
    file.begin_anew(boot, status.st_ino, always);
  } else if (file.why_ = file.fault(boot, status.st_ino, now_ms, bytes); !file.why_.empty()) {
    file.begin_anew(boot, status.st_ino, now_ms);
  } else {
    file.has_header_ = true;
    file.recording_since_ms_ = file.header().recording_since_ms;
    file.cut_back(static_cast<std::uint32_t>((bytes - header_bytes) / extent_bytes * extent_blocks));
  }
  file.mark();
  return file;
}

LimitFile::Header& LimitFile::header() const { return *reinterpret_cast<Header*>(map_); }

std::string_view LimitFile::fault(const BootId& boot, std::uint64_t inode, std::int64_t now_ms,
                                  std::uint64_t bytes) const {
  if (bytes == 0) return "there was none";
  if (bytes < header_bytes || bytes > map_bytes) return "its size is wrong";
  const Header& found = header();
  if (found.magic != magic || found.crc != found.sum()) return "it is damaged";
  if (found.layout != layout || found.block_bytes != block_bytes) return "it has another version's layout";
  if (found.boot != Header::padded(boot)) return "it is of another boot of the machine";
  if (const auto copied = fault_of_copy(inode); !copied.empty()) return copied;
  if (found.recording_since_ms > now_ms) return "it is of the future";
  if (found.incomplete != 0) return "the disk was full, and not all permits are in it";
  if ((bytes - header_bytes) / block_bytes < found.reach) return "it is cut off";
  return "";
}

std::string_view LimitFile::fault_of_copy(std::uint64_t inode) const {
  const Header& found = header();
  if (found.inode != inode || (found.birth != 0 && found.birth != birth_of(name_))) return "it is a copy";
  const auto changed_later = std::chrono::nanoseconds(changed_at(fd_) - found.marked_at);
  if (found.marked_at != 0 && std::chrono::abs(changed_later) > slack) return "it was put back from a copy";
  return "";
}

void LimitFile::begin_anew(const BootId& boot, std::uint64_t inode, std::int64_t recording_since_ms) {
  recording_since_ms_ = recording_since_ms;
  if (::ftruncate(fd_, 0) != 0 || ::posix_fallocate(fd_, 0, header_bytes) != 0) return continue_in_memory(0);
  Header& fresh = header();
  fresh = {.magic = magic,
           .layout = layout,
           .block_bytes = block_bytes,
           .inode = inode,
           .recording_since_ms = recording_since_ms,
           .boot = Header::padded(boot),
           .crc = 0,
           .incomplete = 0,
           .reach = 0,
           .marked_at = 0,
           .birth = birth_of(name_)};
  fresh.crc = fresh.sum();
  has_header_ = true;
}

// By a system call, which notes the time of the change; a store into the map does that at some later time, or never.
void LimitFile::mark() const {
  if (!has_header_ || was_cut()) return;
  static_assert(offsetof(Header, marked_at) == marked_at_offset);
  const std::int64_t now = file_time();
  (void)!::pwrite(fd_, &now, sizeof now, marked_at_offset);
}

bool LimitFile::is_at_its_path() const { return fd_ < 0 || file_name_of(path_) == name_; }

void LimitFile::cut_back(std::uint32_t blocks) {
  set_reach((blocks + extent_blocks - 1) / extent_blocks * extent_blocks);  // before the file is shorter
  (void)!::ftruncate(fd_, static_cast<off_t>(header_bytes + std::size_t{reach_} * block_bytes));
}

bool LimitFile::extend() {
  if (continues_in_memory() || reach_ + extent_blocks > max_blocks) return false;
  const auto end = static_cast<off_t>(header_bytes + std::size_t{reach_} * block_bytes);
  if (::posix_fallocate(fd_, end, extent_bytes) == 0) {
    set_reach(reach_ + extent_blocks);  // before its blocks are used
    return true;
  }
  std::atomic_ref(header().incomplete).store(1, std::memory_order_seq_cst);
  continue_in_memory(static_cast<std::size_t>(end));
  return false;
}

void LimitFile::set_reach(std::uint32_t blocks) {
  reach_ = blocks;
  if (!in_memory_) std::atomic_ref(header().reach).store(blocks, std::memory_order_seq_cst);
}

/// Plain memory in place of what the file does not reach to.
void LimitFile::continue_in_memory(std::size_t from) {
  constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  if (::mmap(map_ + from, map_bytes - from, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED) throw std::bad_alloc();
  in_memory_ = true;
  (void)!::ftruncate(fd_, static_cast<off_t>(from));  // what was allocated in part
  log_warning(
      "limits: no room on the disk: the permits of more keys are kept in memory only; after a restart every key counts "
      "as used up for a minute");
}

}  // namespace latchkey::limit

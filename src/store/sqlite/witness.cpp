#include "store/sqlite/witness.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "base/boot_id.hpp"
#include "base/regular_file.hpp"

namespace latchkey::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint64_t magic = 0x316e74574b4c;   // "LKWtn1"
constexpr milliseconds patience{1000};            // its holder keeps the lock for microseconds
constexpr std::uint64_t prompt_ns = 100'000'000;  // from taking the time to the end of the write, else once more
constexpr std::uint64_t later_ns = 400'000'000;   // the same as a reader allows it
constexpr int reads = 100;
constexpr int writes = 100;

std::uint64_t hash(const void* bytes, std::size_t size) {  // FNV-1a
  std::uint64_t value = 0xcbf29ce484222325U;
  for (std::size_t i = 0; i < size; ++i) {
    value = (value ^ static_cast<const unsigned char*>(bytes)[i]) * 0x100000001b3U;
  }
  return value;
}

std::uint64_t in_ns(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t wall_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return in_ns(now);
}

/// When its content or owner last changed: the kernel says it, and nobody can set it.
std::uint64_t changed_ns(int file) {
  struct stat status {};
  return ::fstat(file, &status) == 0 ? in_ns(status.st_ctim) : 0;
}

bool within(std::uint64_t a, std::uint64_t b, std::uint64_t bound) { return std::max(a, b) - std::min(a, b) <= bound; }

}  // namespace

struct Witness::Page {
  std::uint64_t magic, boot, synced, written_ns;
  Shown shown;
  std::uint64_t check;  // of all before it

  std::uint64_t sum() const { return hash(this, offsetof(Page, check)); }
};

/// Of the open file, so that threads and processes are the same to it; let go of by the kernel when a process is
/// killed.
class Witness::Lock {
 public:
  explicit Lock(int file) : file_(file) {
    const auto deadline = steady_clock::now() + patience;
    while (!(held_ = set(F_WRLCK)) && steady_clock::now() < deadline) std::this_thread::sleep_for(milliseconds(1));
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() {
    if (held_) set(F_UNLCK);
  }
  bool held() const { return held_; }

 private:
  bool set(int type) const {
    struct flock range {};
    range.l_type = static_cast<short>(type);
    range.l_whence = SEEK_SET;
    return ::fcntl(file_, F_OFD_SETLK, &range) == 0;
  }
  int file_;
  bool held_ = false;
};

// Where the database is a link, as -wal and -shm are: whatever name it is opened by, there is one witness.
std::filesystem::path Witness::path_of(const std::filesystem::path& database) {
  std::error_code none;
  const bool link = std::filesystem::is_symlink(database, none);
  return (link ? std::filesystem::weakly_canonical(database, none) : database).string() + "-witness";
}

Witness::Witness(const std::filesystem::path& database) : Witness(database, BootId::current().text) {}

Witness::Witness(const std::filesystem::path& database, std::string_view boot, std::uint64_t wall_ahead_ns)
    : path_(path_of(database)), boot_(hash(boot.data(), boot.size())), wall_ahead_ns_(wall_ahead_ns) {}

bool Witness::is_at_path() const {
  struct stat here {};
  struct stat there {};
  return ::fstat(file_.get(), &here) == 0 && ::stat(path_.c_str(), &there) == 0 && here.st_dev == there.st_dev &&
         here.st_ino == there.st_ino;
}

Result<void> Witness::open() {
  if (file_.get() >= 0 && is_at_path()) return {};
  auto opened = open_regular(path_, O_RDWR | O_CREAT);
  if (!opened) return Error(ErrorCode::unavailable, "the database is not available", opened.error().detail);
  file_ = std::move(*opened);
  return {};
}

// Read twice, with the time of its last change in between: then that is the time of what was read.
Result<Testimony> Witness::read_steady() {
  Page first{};
  Page second{};
  for (int i = 0; i < reads; ++i) {
    const auto size = ::pread(file_.get(), &first, sizeof first, 0);
    if (size < 0)
      return Error(ErrorCode::unavailable, "the database is not available", path_.string() + " is unreadable");
    const auto changed = changed_ns(file_.get());
    if (size != sizeof first || first.magic != magic) return Testimony();
    if (::pread(file_.get(), &second, sizeof second, 0) != sizeof second) continue;
    if (std::memcmp(&first, &second, sizeof first) != 0 || first.check != first.sum()) continue;
    const bool ours_last = within(changed, first.written_ns, later_ns);
    const bool of_this_boot = first.boot == boot_;
    return Testimony{first.shown, ours_last && (of_this_boot || first.synced != 0), of_this_boot};
  }
  return Testimony();
}

Result<Testimony> Witness::read() {
  const MutexLock guard(mutex_);
  if (auto opened = open(); !opened) return opened.error();
  return read_steady();
}

// The page says when it was written, and the kernel notes when the file changed. A copy of the file, or one put back
// from a backup, has a change time that is not near that, so a reader does not believe it.
Result<void> Witness::write(const Shown& shown, bool synced) {
  Page page{magic, boot_, synced ? 1U : 0U, wall_ns() + wall_ahead_ns_, shown, 0};
  for (int i = 0; i < writes; ++i) {
    page.check = page.sum();
    if (::pwrite(file_.get(), &page, sizeof page, 0) != sizeof page) break;
    const auto changed = changed_ns(file_.get());
    if (within(changed, page.written_ns, prompt_ns)) return {};
    page.written_ns = changed;  // it took long, or a shared folder has the clock of its host: once more, by that clock
  }
  return Error(ErrorCode::unavailable, "the database is not available", path_.string() + " cannot be written");
}

Result<void> Witness::exclusively(const std::function<Result<void>(const Testimony&)>& work) {
  const MutexLock guard(mutex_);
  if (auto opened = open(); !opened) return opened;
  const Lock lock(file_.get());
  if (!lock.held())
    return Error(ErrorCode::unavailable, "the database is not available", path_.string() + " is locked");
  const auto said = read_steady();
  return said ? work(*said) : said.error();
}

// Compare and set: another process may have written in between, and then its testimony stands.
Result<bool> Witness::replace(const Shown& expected, const Shown& next) {
  bool replaced = false;
  auto done = exclusively([&](const Testimony& said) REQUIRES(mutex_) -> Result<void> {
    if (said.shown != expected) return {};
    replaced = true;
    return write(next, false);
  });
  if (!done) return done.error();
  return replaced;
}

Result<void> Witness::sync() {
  return exclusively([&](const Testimony& said) REQUIRES(mutex_) -> Result<void> {
    if (!said.believed) return {};
    if (auto written = write(said.shown, true); !written) return written;
    if (::fsync(file_.get()) == 0) return {};
    return Error(ErrorCode::unavailable, "the database is not available", path_.string() + " cannot be synced");
  });
}

}  // namespace latchkey::store

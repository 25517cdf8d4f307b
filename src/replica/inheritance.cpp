#include "replica/inheritance.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

#include "base/regular_file.hpp"

namespace latchkey::replica {
namespace {

constexpr std::size_t line_bytes = 512;  // always the same, so that one write replaces the line before
constexpr std::string_view magic = "latchkey-replica-2";

/// Names a file as no copy of it is named: an inode's number may be given again, but not with the time it was made. A
/// hard link is a second way to the same file, which may hold what somebody else left. Empty: there is no such name.
std::string name_of(int descriptor) {
  struct statx file {};
  if (::statx(descriptor, "", AT_EMPTY_PATH, STATX_INO | STATX_NLINK | STATX_BTIME, &file) != 0) return {};
  if (file.stx_nlink != 1) return {};
  const bool dated = (file.stx_mask & STATX_BTIME) != 0;
  return fmt::format("{}:{}:{}:{}.{}", file.stx_dev_major, file.stx_dev_minor, file.stx_ino,
                     dated ? file.stx_btime.tv_sec : 0, dated ? file.stx_btime.tv_nsec : 0);
}

/// The line, and the name of the file that it stands in; both empty where it cannot be read.
std::pair<std::string, std::string> read_line(const std::filesystem::path& path) {
  const auto opened = open_regular(path, O_RDONLY);
  if (!opened) return {};
  std::string line(line_bytes, '\0');
  const bool whole = ::pread(opened->get(), line.data(), line.size(), 0) == ssize_t{line_bytes} && line.back() == '\n';
  std::string file = whole ? name_of(opened->get()) : "";
  if (file.empty()) return {};
  return {std::move(line), std::move(file)};
}

}  // namespace

InheritanceFile::InheritanceFile(std::filesystem::path path, std::string boot_id)
    : path_(std::move(path)), boot_id_(std::move(boot_id)) {}

std::optional<Inheritance> InheritanceFile::take() const {
  const auto [line, here] = read_line(path_);
  std::istringstream words(line);
  std::string kind, boot, file, id, applied;
  std::int64_t staleness = 0;
  Inheritance found;
  words >> kind >> boot >> file >> id >> found.number >> applied >> staleness >> found.view_from.nanos >>
      found.open_until.nanos;
  const auto parsed = ReplicaId::parse(id);
  if (!words || kind != magic || boot != boot_id_ || file != here || !parsed || staleness <= 0) return std::nullopt;
  const auto position = Position::parse(applied);
  if (!position) return std::nullopt;
  found.id = *parsed;
  found.applied = *position;
  found.max_staleness = std::chrono::milliseconds(staleness);
  return found;
}

bool InheritanceFile::leave(const Inheritance& left) {
  if (descriptor_.get() < 0) open();
  std::string line =
      fmt::format("{} {} {} {} {} {} {} {} {}", magic, boot_id_, file_, left.id.to_string(), left.number,
                  left.applied.to_string(), left.max_staleness.count(), left.view_from.nanos, left.open_until.nanos);
  line.resize(line_bytes - 1, ' ');
  line += '\n';
  if (descriptor_.get() >= 0 && ::pwrite(descriptor_.get(), line.data(), line.size(), 0) == ssize_t{line_bytes})
    return true;
  leave_nothing();
  return false;
}

// One that has no name, for it is linked elsewhere, is left to whoever else has it.
void InheritanceFile::open() {
  const auto open_file = [this] {
    auto opened = open_regular(path_, O_WRONLY | O_CREAT);
    descriptor_ = opened ? std::move(*opened) : Descriptor(-1);
    file_ = opened ? name_of(descriptor_.get()) : "";
    return opened.has_value();
  };
  if (!open_file() || !file_.empty()) return;
  leave_nothing();
  if (!open_file() || file_.empty()) leave_nothing();
}

void InheritanceFile::leave_nothing() {
  descriptor_ = Descriptor(-1);
  ::unlink(path_.c_str());
}

}  // namespace latchkey::replica

#include "replica/successor_state.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <sstream>

#include "base/file_name.hpp"
#include "base/regular_file.hpp"

namespace latchkey::replica {
namespace {

constexpr std::size_t line_bytes = 512;  // always the same, so that one write replaces the line before
constexpr std::string_view no_word = "-";
constexpr std::string_view magic = "latchkey-replica-4";

/// The kernel's own clock for the times of files.
std::int64_t file_time() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

struct Found {
  std::string line;  // empty where it cannot be read
  std::string file;  // the name of the file that it stands in
  std::int64_t changed_at = 0;
};

Found read_line(const std::filesystem::path& path) {
  const auto opened = open_regular(path, O_RDONLY);
  if (!opened) return {};
  const int descriptor = opened->get();
  Found found{std::string(line_bytes, '\0'), file_name_of(descriptor), changed_at(descriptor)};
  const bool whole =
      ::pread(descriptor, found.line.data(), line_bytes, 0) == ssize_t{line_bytes} && found.line.back() == '\n';
  return whole && !found.file.empty() ? found : Found{};
}

}  // namespace

SuccessorState::SuccessorState(std::filesystem::path path, std::string boot_id)
    : path_(std::move(path)), boot_id_(std::move(boot_id)) {}

std::optional<Inheritance> SuccessorState::take() const {
  const auto here = read_line(path_);
  std::istringstream words(here.line);
  std::string kind, boot, file, id, applied;
  std::int64_t written_at = 0;
  std::int64_t staleness = 0;
  Inheritance found;
  words >> kind >> boot >> file >> written_at >> id >> found.number >> applied >> staleness >> found.view_from.nanos >>
      found.open_until.nanos >> found.lock;
  const auto parsed = ReplicaId::parse(id);
  if (!words || kind != magic || boot != boot_id_ || file != here.file || !parsed || staleness <= 0) {
    return std::nullopt;
  }
  if (std::chrono::nanoseconds(std::abs(here.changed_at - written_at)) > slack) return std::nullopt;
  found.applied = Position::parse(applied);
  if (!found.applied && applied != no_word) return std::nullopt;
  if (found.lock == no_word) found.lock.clear();
  found.id = *parsed;
  found.max_staleness = std::chrono::milliseconds(staleness);
  return found;
}

bool SuccessorState::leave(const Inheritance& left) {
  // Where another file is there, or none, nobody would find what is written here.
  if (descriptor_.get() >= 0 && file_name_of(path_) != file_) descriptor_ = Descriptor(-1);
  if (descriptor_.get() < 0) open();
  std::string line =
      fmt::format("{} {} {} {} {} {} {} {} {} {} {}", magic, boot_id_, file_, file_time(), left.id.to_string(),
                  left.number, left.applied ? left.applied->to_string() : no_word, left.max_staleness.count(),
                  left.view_from.nanos, left.open_until.nanos, left.lock.empty() ? no_word : left.lock);
  line.resize(line_bytes - 1, ' ');
  line += '\n';
  if (descriptor_.get() >= 0 && ::pwrite(descriptor_.get(), line.data(), line.size(), 0) == ssize_t{line_bytes})
    return true;
  leave_nothing();
  return false;
}

// One that has no name, for it is linked elsewhere, is left to the other process that has it.
void SuccessorState::open() {
  const auto open_file = [this] {
    auto opened = open_regular(path_, O_WRONLY | O_CREAT);
    descriptor_ = opened ? std::move(*opened) : Descriptor(-1);
    file_ = opened ? file_name_of(descriptor_.get()) : "";
    return opened.has_value();
  };
  if (!open_file() || !file_.empty()) return;
  leave_nothing();
  if (!open_file() || file_.empty()) leave_nothing();
}

void SuccessorState::leave_nothing() {
  descriptor_ = Descriptor(-1);
  ::unlink(path_.c_str());
}

}  // namespace latchkey::replica

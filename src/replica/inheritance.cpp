#include "replica/inheritance.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace latchkey::replica {
namespace {

constexpr std::size_t line_bytes = 256;  // always the same, so that one write replaces the line before
constexpr std::string_view magic = "latchkey-replica-1";

}  // namespace

InheritanceFile::InheritanceFile(std::filesystem::path path, std::string boot_id)
    : path_(std::move(path)), boot_id_(std::move(boot_id)) {}

InheritanceFile::~InheritanceFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::optional<Inheritance> InheritanceFile::take() const {
  std::ifstream file(path_);
  std::string line(line_bytes, '\0');
  if (!file.read(line.data(), static_cast<std::streamsize>(line.size())) || line.back() != '\n') return std::nullopt;
  std::istringstream words(line);
  std::string kind, boot, id, applied;
  std::int64_t staleness = 0;
  Inheritance found;
  words >> kind >> boot >> id >> found.number >> applied >> staleness >> found.view_from.nanos >>
      found.open_until.nanos;
  const auto parsed = ReplicaId::parse(id);
  if (!words || kind != magic || boot != boot_id_ || !parsed || staleness <= 0) return std::nullopt;
  const auto position = Position::parse(applied);
  if (!position) return std::nullopt;
  found.id = *parsed;
  found.applied = *position;
  found.max_staleness = std::chrono::milliseconds(staleness);
  return found;
}

bool InheritanceFile::leave(const Inheritance& left) {
  if (descriptor_ < 0) descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  std::string line =
      fmt::format("{} {} {} {} {} {} {} {}", magic, boot_id_, left.id.to_string(), left.number,
                  left.applied.to_string(), left.max_staleness.count(), left.view_from.nanos, left.open_until.nanos);
  line.resize(line_bytes - 1, ' ');
  line += '\n';
  if (descriptor_ >= 0 && ::pwrite(descriptor_, line.data(), line.size(), 0) == ssize_t{line_bytes}) return true;
  leave_nothing();
  return false;
}

void InheritanceFile::leave_nothing() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  ::unlink(path_.c_str());
}

}  // namespace latchkey::replica

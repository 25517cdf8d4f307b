#include "feed/snapshot_file/writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace latchkey::feed::snapshot_file {
namespace {

// Synced as it grows: the last sync of a large file would hold its writer, the projector, for seconds.
constexpr std::uint64_t sync_every = 4U << 20U;

}  // namespace

Result<Writer> Writer::create(const std::filesystem::path& path, std::string_view source, Epoch epoch) {
  Writer writer(path, ::open((path.string() + ".new").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (writer.descriptor_ < 0) return writer.failure("create");
  if (auto written = writer.append(header(source, epoch)); !written) return written.error();
  return writer;
}

Writer::Writer(Writer&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      published_(other.published_),
      bytes_(other.bytes_),
      unsynced_(other.unsynced_) {}

Writer::~Writer() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (!published_) ::unlink(temporary().c_str());
}

Result<void> Writer::append(std::string_view record) {
  for (std::string_view rest = record; !rest.empty();) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failure("write");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  bytes_ += record.size();
  unsynced_ += record.size();
  if (!published_ && unsynced_ >= sync_every) {
    if (::fdatasync(descriptor_) != 0) return failure("sync");
    unsynced_ = 0;
  }
  return {};
}

Result<void> Writer::publish() {
  if (::fsync(descriptor_) != 0) return failure("sync");
  if (::rename(temporary().c_str(), path_.c_str()) != 0) return failure("rename");
  published_ = true;
  return {};
}

Error Writer::failure(const char* doing) const {
  return Error(ErrorCode::unavailable, "the snapshot file cannot be written",
               fmt::format("{}: {}: {}", path_.string(), doing, std::strerror(errno)));
}

}  // namespace latchkey::feed::snapshot_file

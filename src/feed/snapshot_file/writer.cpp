#include "feed/snapshot_file/writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/regular_file.hpp"

namespace latchkey::feed::snapshot_file {
namespace {

// Synced as it grows: the last sync of a large file would hold its writer, the projector, for seconds.
constexpr std::uint64_t sync_every = 4U << 20U;

}  // namespace

Result<Writer> Writer::create(const std::filesystem::path& path, std::string_view source, Epoch epoch) {
  const std::string temporary = path.string() + ".new";
  ::unlink(temporary.c_str());  // of an attempt that was cut off
  auto file = open_regular(temporary, O_WRONLY | O_CREAT | O_EXCL);
  if (!file) return Error(ErrorCode::unavailable, "the snapshot file cannot be written", file.error().detail);
  Writer writer(path, std::move(*file));
  if (auto written = writer.append(header(source, epoch)); !written) return written.error();
  return writer;
}

Writer::Writer(Writer&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::move(other.file_)),
      published_(other.published_),
      bytes_(other.bytes_),
      unsynced_(other.unsynced_) {}

Writer::~Writer() {
  if (file_.get() >= 0 && !published_) ::unlink(temporary().c_str());
}

Result<void> Writer::append(std::string_view record) {
  for (std::string_view rest = record; !rest.empty();) {
    const ssize_t written = ::write(file_.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failure("write");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  bytes_ += record.size();
  unsynced_ += record.size();
  if (!published_ && unsynced_ >= sync_every) {
    if (::fdatasync(file_.get()) != 0) return failure("sync");
    unsynced_ = 0;
  }
  return {};
}

Result<void> Writer::publish() {
  if (::fsync(file_.get()) != 0) return failure("sync");
  if (::rename(temporary().c_str(), path_.c_str()) != 0) return failure("rename");
  published_ = true;
  return {};
}

Error Writer::failure(const char* doing) const {
  return Error(ErrorCode::unavailable, "the snapshot file cannot be written",
               fmt::format("{}: {}: {}", path_.string(), doing, std::strerror(errno)));
}

}  // namespace latchkey::feed::snapshot_file

#include "commands/secret_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace latchkey::commands {
namespace {

namespace fs = std::filesystem;

Error failed(const char* what, const fs::path& path) {
  return Error(ErrorCode::internal, "", std::string(what) + " " + path.string() + ": " + std::strerror(errno));
}

class File {
 public:
  File(const fs::path& path, int flags, mode_t mode = 0) : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool is_open() const { return fd_ >= 0; }
  bool sync() const { return ::fsync(fd_) == 0; }
  bool write(std::string_view text) const {
    while (!text.empty()) {
      const auto n = ::write(fd_, text.data(), text.size());
      if (n < 0 && errno != EINTR) return false;
      if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

 private:
  int fd_;
};

Result<void> sync_directory(const fs::path& directory) {
  const File file(directory, O_RDONLY | O_DIRECTORY);
  if (!file.is_open() || !file.sync()) return failed("cannot sync", directory);
  return {};
}

}  // namespace

Result<void> make_private_directory(const fs::path& directory) {
  if (directory.empty() || fs::is_directory(directory)) return {};
  if (auto made = make_private_directory(directory.parent_path()); !made) return made;
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return failed("cannot make", directory);
  return {};
}

Result<void> write_secret_file(const fs::path& file, const Secret& content) {
  fs::path draft = file;
  draft += ".new";
  ::unlink(draft.c_str());  // of an attempt that was cut off
  {
    const File out(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (!out.is_open() || !out.write(content.reveal()) || !out.sync()) return failed("cannot write", draft);
  }
  if (::rename(draft.c_str(), file.c_str()) != 0) return failed("cannot rename to", file);
  return sync_directory(file.parent_path());
}

Result<Secret> read_secret_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return failed("cannot read", file);
  std::string text(64 * 1024, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return Secret(std::move(text));
}

}  // namespace latchkey::commands

#include "commands/secret_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/regular_file.hpp"

namespace latchkey::commands {
namespace {

namespace fs = std::filesystem;

Error failed(const char* what, const fs::path& path) {
  return Error(ErrorCode::internal, "", std::string(what) + " " + path.string() + ": " + std::strerror(errno));
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
  const auto out = open_regular(draft, O_WRONLY | O_CREAT | O_EXCL);
  if (!out) return Error(ErrorCode::internal, "", out.error().detail);
  if (!write_all(out->get(), content.reveal()) || ::fsync(out->get()) != 0) return failed("cannot write", draft);
  if (::rename(draft.c_str(), file.c_str()) != 0) return failed("cannot rename to", file);
  if (!sync_directory(file.parent_path())) return failed("cannot sync", file.parent_path());
  return {};
}

Result<Secret> read_secret_file(const fs::path& file) {
  auto text = read_regular(file, 64 * 1024);
  if (!text) return Error(ErrorCode::internal, "", text.error().detail);
  return Secret(std::move(*text));
}

}  // namespace latchkey::commands

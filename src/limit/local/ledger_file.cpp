#include "limit/local/ledger_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <utility>

#include "base/descriptor.hpp"
#include "base/regular_file.hpp"

namespace latchkey::limit {
namespace {

class LedgerFile final : public LedgerStorage {
 public:
  explicit LedgerFile(std::filesystem::path path) : path_(std::move(path)) {}

  Result<std::string> read() override {
    auto octets = read_regular(path_, std::numeric_limits<std::ptrdiff_t>::max());
    if (!octets && octets.error().code == ErrorCode::not_found) return std::string();
    return octets;
  }

  Result<void> replace(std::string_view octets) override {
    const std::filesystem::path fresh = path_.string() + ".new";
    auto file = open_regular(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file) return file.error();
    if (!write_all(file->get(), octets) || ::fdatasync(file->get()) != 0) return cannot("write", fresh);
    if (std::rename(fresh.c_str(), path_.c_str()) != 0) return cannot("rename", fresh);
    if (!sync_directory(path_.parent_path())) return cannot("sync the directory of", path_);
    file_ = std::move(*file);
    return {};
  }

  Result<void> append(std::string_view octets) override {
    if (!write_all(file_.get(), octets) || ::fdatasync(file_.get()) != 0) return cannot("write", path_);
    return {};
  }

 private:
  static Error cannot(std::string_view what, const std::filesystem::path& path) {
    return Error(ErrorCode::unavailable, fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
  }

  const std::filesystem::path path_;
  Descriptor file_{-1};
};

}  // namespace

std::unique_ptr<LedgerStorage> ledger_file(std::filesystem::path path) {
  return std::make_unique<LedgerFile>(std::move(path));
}

}  // namespace latchkey::limit

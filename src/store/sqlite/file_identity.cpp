#include "store/sqlite/file_identity.hpp"

#include <sys/stat.h>

#include <string>

namespace latchkey::store {

std::filesystem::path database_file(const std::filesystem::path& database, std::size_t index) {
  constexpr std::array<const char*, 3> suffixes = {"", "-wal", "-shm"};
  return database.string() + suffixes.at(index);
}

std::filesystem::path unused_name(const std::filesystem::path& wanted) {
  const auto is_used = [](const std::filesystem::path& name) {
    std::error_code none;
    for (const std::size_t i : {0U, 1U, 2U}) {
      if (std::filesystem::exists(std::filesystem::symlink_status(database_file(name, i), none))) return true;
    }
    return false;
  };
  std::filesystem::path name = wanted;
  for (int n = 2; is_used(name); ++n) name = wanted.string() + '-' + std::to_string(n);
  return name;
}

std::optional<FileIdentity> FileIdentity::of(const std::filesystem::path& database) {
  FileIdentity identity;
  for (std::size_t i = 0; i < identity.files.size(); ++i) {
    struct stat file {};
    const bool exists = ::stat(database_file(database, i).c_str(), &file) == 0;
    if (i == 0 && !exists) return std::nullopt;
    if (i == 0) identity.empty = file.st_size == 0;
    if (exists) identity.files[i] = {file.st_dev, file.st_ino};
  }
  return identity;
}

Result<void> FileIdentity::still_at(const std::filesystem::path& database) const {
  const auto now = of(database);
  if (now == *this) return {};
  const char* what = !now         ? "the database file is gone"
                     : now->empty ? "the database file is empty"
                                  : "the database file was replaced";
  return Error(ErrorCode::unavailable, what, std::string(what) + ": " + database.string());
}

}  // namespace latchkey::store

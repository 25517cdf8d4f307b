#pragma once

// For tests: a path for a LimitFile, removed afterwards.

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "limit/local/limit_file.hpp"

namespace latchkey::limit {

class TemporaryLimitFile {
 public:
  TemporaryLimitFile() {
    std::string name = (std::filesystem::temp_directory_path() / "latchkey-limits-XXXXXX").string();
    const int fd = ::mkstemp(name.data());
    if (fd < 0) throw std::runtime_error("mkstemp");
    ::close(fd);
    path_ = name;
  }
  ~TemporaryLimitFile() { std::filesystem::remove(path_); }
  TemporaryLimitFile(const TemporaryLimitFile&) = delete;
  TemporaryLimitFile& operator=(const TemporaryLimitFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// As a service's: in one boot, and at the first time as a new installation's.
  LimitFile open(const Clock& clock, PriorRun prior_run = PriorRun::none, const BootId& boot = {"this boot"}) const {
    return LimitFile::open(path_, boot, clock, prior_run).value();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace latchkey::limit

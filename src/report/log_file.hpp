#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace latchkey::report {

/// Where log lines go. One thread uses it.
class LogSink {
 public:
  virtual ~LogSink() = default;
  /// Appends whole lines: all of them or, with an error, none. May be called again after a failure.
  virtual Result<void> append(std::string_view lines) = 0;
  /// Somebody has moved what was written so far, or is about to: the next lines begin anew.
  virtual void reopen() {}
};

struct LogFileConfig {
  std::string path;                               // e.g. "<data>/logs/requests.jsonl"; its folder is made when missing
  std::uint64_t max_bytes = 64ULL * 1024 * 1024;  // then it becomes <path>.1, that one <path>.2, …
  unsigned keep = 4;                              // rotated files; the oldest goes. 0: none is kept
};

/// A file that is rotated by size; mode 0600. Others may rotate it as well (logrotate), and remove or shorten it or its
/// folder: each append asks what the path names by now, and writes there. After a failed write the file is cut back to
/// its last whole line and opened anew at the next append, so that a disk with space again is found.
class LogFile final : public LogSink {
 public:
  explicit LogFile(LogFileConfig config) : config_(std::move(config)) {}
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  Result<void> append(std::string_view lines) override;
  void reopen() override { close(); }

 private:
  Result<void> open();
  void close() { file_ = Descriptor(-1); }
  bool is_open() const { return file_.get() >= 0; }
  /// Closes what the path does not name any more; notes how long the file is by now.
  void follow();
  Result<void> write(std::string_view lines);
  Result<void> begin_a_line();
  void rotate();
  bool is_nowhere() const;
  std::uint64_t most_bytes() const;  // of one file: as configured, or as RLIMIT_FSIZE allows
  Error failure(int why) const;
  std::string rotated(unsigned number) const { return config_.path + "." + std::to_string(number); }

  const LogFileConfig config_;
  Descriptor file_{-1};
  std::uint64_t size_ = 0;
};

}  // namespace latchkey::report

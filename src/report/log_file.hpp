#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace latchkey::report {

/// Where log lines go. One thread uses it.
class LogSink {
 public:
  virtual ~LogSink() = default;
  /// Appends whole lines: all of them or, answering false, none. May be called again after a failure.
  virtual bool append(std::string_view lines) = 0;
};

struct LogFileConfig {
  std::string path;                               // e.g. "<data>/logs/requests.jsonl"; its folder is made when missing
  std::uint64_t max_bytes = 64ULL * 1024 * 1024;  // then it becomes <path>.1, that one <path>.2, …
  unsigned keep = 4;                              // rotated files; the oldest goes. 0: none is kept
};

/// A file that is rotated by size; mode 0600. After a failed write the file is cut back to its last whole line and
/// opened anew at the next append, so that a disk with space again, or a folder that came back, is found.
class LogFile final : public LogSink {
 public:
  explicit LogFile(LogFileConfig config) : config_(std::move(config)) {}
  ~LogFile() override { close(); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  bool append(std::string_view lines) override;

 private:
  bool open();
  void close();
  void rotate();
  std::string rotated(unsigned number) const { return config_.path + "." + std::to_string(number); }

  const LogFileConfig config_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace latchkey::report

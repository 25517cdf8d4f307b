#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "feed/snapshot_file/format.hpp"

namespace latchkey::feed::snapshot_file {

/// One file being written, first under another name. One thread.
class Writer {
 public:
  /// "<path>.new" with the header.
  static Result<Writer> create(const std::filesystem::path& path, std::string_view source, Epoch epoch);
  Writer(Writer&& other) noexcept;
  Writer& operator=(Writer&&) = delete;
  /// Removes what was not published.
  ~Writer();

  Result<void> rows(std::string_view rows) { return append(rows_record(rows)); }
  Result<void> mark(const Mark& mark) { return append(mark_record(mark)); }
  /// After a mark: makes it durable and gives it its name, in place of the one before. What is appended from then on
  /// survives the process, not a crash of the machine, after which its age could not be told anyway.
  Result<void> publish();

  std::uint64_t bytes() const { return bytes_; }

 private:
  Writer(std::filesystem::path path, Descriptor file) : path_(std::move(path)), file_(std::move(file)) {}
  Result<void> append(std::string_view record);
  std::filesystem::path temporary() const { return path_.string() + ".new"; }
  Error failure(const char* doing) const;

  std::filesystem::path path_;
  Descriptor file_;
  bool published_ = false;
  std::uint64_t bytes_ = 0;
  std::uint64_t unsynced_ = 0;
};

}  // namespace latchkey::feed::snapshot_file

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace latchkey::service {

/// Query parameters, each at most once, and all that is wrong with them.
///
///   QueryReader reader(request.query);
///   const auto limit = reader.number("limit", 1, 500, 50);
///   if (const auto finished = reader.finish(); !finished) return finished.error();
class QueryReader {
 public:
  explicit QueryReader(std::string_view query);
  std::optional<std::string> text(std::string_view name);
  std::size_t number(std::string_view name, std::size_t least, std::size_t most, std::size_t otherwise);
  void note(std::string_view name, std::string detail);
  /// Notes repeated parameters and those that were not read; ErrorCode::invalid with all notes, or nothing.
  Result<void> finish();

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
  std::vector<std::string> known_;
  std::vector<FieldError> errors_;
};

}  // namespace latchkey::service

#include "store/schema_version.hpp"

#include <fmt/format.h>

#include <charconv>

#include "store/not_made.hpp"

namespace latchkey::store {
namespace {

Error is_older(std::int64_t schema) {
  if (schema == 0) return not_made();
  return Error(ErrorCode::unavailable, "the database is of an older release of Latchkey",
               fmt::format("the database has schema {} and this release needs {}: start the management service of this "
                           "release, which brings it up",
                           schema, schema_version));
}

Error is_newer(std::int64_t schema) {
  return Error(ErrorCode::unavailable, "the database was written by a newer release of Latchkey",
               fmt::format("the database has schema {} and this release knows {}: upgrade this service", schema,
                           schema_version));
}

/// The oldest schema with readers that may go on; more than any where the word is of another schema, or none.
std::int64_t oldest_reader(std::int64_t schema, std::string_view readers) {
  std::int64_t of = 0, oldest = 0;
  const char* end = readers.data() + readers.size();
  const auto first = std::from_chars(readers.data(), end, of);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ' ' || of != schema) return INT64_MAX;
  const auto second = std::from_chars(first.ptr + 1, end, oldest);
  return second.ec == std::errc() && second.ptr == end && oldest > 0 ? oldest : INT64_MAX;
}

}  // namespace

Result<void> check_readable(std::int64_t schema, std::string_view readers) {
  if (schema == schema_version) return {};
  if (schema < schema_version) return is_older(schema);
  if (oldest_reader(schema, readers) <= schema_version) return {};
  return is_newer(schema);
}

Result<void> check_writable(std::int64_t schema) {
  if (schema == schema_version) return {};
  return schema < schema_version ? is_older(schema) : is_newer(schema);
}

}  // namespace latchkey::store

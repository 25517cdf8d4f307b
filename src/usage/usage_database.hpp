#pragma once

// A database that understands SQL, as far as usage needs it: the same statements run in SQLite and in PostgreSQL.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"

namespace latchkey::usage {

/// For $1, $2, …, which appear in this order.
using Parameter = std::variant<std::int64_t, std::string>;
using Field = std::optional<std::string>;  // nullopt: NULL; numbers as text
using Record = std::vector<Field>;

std::int64_t integer_of(const Field& field);  // 0 for NULL and for what is none

/// One connection; one thread at a time.
class UsageDatabase {
 public:
  virtual ~UsageDatabase() = default;

  /// Opens where it is not open. ErrorCode::not_found: nothing was ever written there.
  virtual Result<void> ready() = 0;
  /// With the lock that keeps other writers of usage away until it ends.
  virtual Result<void> begin() = 0;
  virtual Result<void> commit() = 0;
  /// After a failure. Connects anew where that is needed.
  virtual void give_up() = 0;
  virtual Result<std::vector<Record>> query(std::string_view sql, std::span<const Parameter> parameters) = 0;
  /// $1, a JSON array of objects, as a table: `SELECT … FROM json_rows(…) AS b` with the members as columns.
  /// `columns`: "k text, n bigint".
  virtual std::string json_rows(std::string_view columns) const = 0;
  /// Used by usage, on disk.
  virtual Result<std::int64_t> bytes() = 0;

  Result<std::vector<Record>> query(std::string_view sql, std::initializer_list<Parameter> parameters = {}) {
    return query(sql, std::span(parameters.begin(), parameters.size()));
  }
};

}  // namespace latchkey::usage

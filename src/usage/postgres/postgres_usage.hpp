#pragma once

// Usage in PostgreSQL, in tables beside the store's. They have a number of their own (usage_schema), and the management
// service makes them: a replica of any release goes on reading keys whatever becomes of them.

#include "store/postgres/link.hpp"
#include "usage/usage_database.hpp"

namespace latchkey::usage {

class PostgresUsage final : public UsageDatabase {
 public:
  /// `make`: the tables, where they are not there. Others wait until they are: ErrorCode::not_found for those that read.
  enum class Tables : std::uint8_t { make, use };
  PostgresUsage(store::postgres::Url url, Tables tables);

  Result<void> ready() override;
  Result<void> begin() override;
  Result<void> commit() override;
  void give_up() override;
  using UsageDatabase::query;
  Result<std::vector<Record>> query(std::string_view sql, std::span<const Parameter> parameters) override;
  std::string json_rows(std::string_view columns) const override;
  Result<std::int64_t> bytes() override;

 private:
  Result<void> prepare(store::postgres::Connection& opened) const;

  const Tables tables_;
  store::postgres::Link link_;
  bool in_transaction_ = false;
};

}  // namespace latchkey::usage

#pragma once

// Usage of an embedded service: the replica's own SQLite file, usage.db, which the management service reads. Nothing
// else needs it: without it nothing is refused. WAL and synchronous=NORMAL: a kill loses nothing that was committed, a
// power cut the last seconds.

#include <chrono>
#include <filesystem>
#include <optional>

#include "store/sqlite/database.hpp"
#include "store/sqlite/file_identity.hpp"
#include "usage/usage_database.hpp"

namespace latchkey::usage {

class SqliteUsage final : public UsageDatabase {
 public:
  /// `access`: a writer makes the file where there is none, and puts a damaged one aside as usage.db-damaged.
  SqliteUsage(std::filesystem::path path, store::Access access) : path_(std::move(path)), access_(access) {}

  Result<void> ready() override;
  Result<void> begin() override;
  Result<void> commit() override;
  void give_up() override;
  using UsageDatabase::query;
  Result<std::vector<Record>> query(std::string_view sql, std::span<const Parameter> parameters) override;
  std::string json_rows(std::string_view columns) const override;
  Result<std::int64_t> bytes() override;

 private:
  Result<void> open();
  Result<void> prepare(store::Database& database) const;
  void put_aside() const;
  void bound_questions(store::Database& database);

  const std::filesystem::path path_;
  const store::Access access_;
  std::optional<store::Database> database_;
  store::FileIdentity identity_;
  std::chrono::steady_clock::time_point give_up_at_{};  // of a reader: no question takes longer
};

}  // namespace latchkey::usage

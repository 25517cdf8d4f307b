#pragma once

// Batches into tables (usage_schema.hpp), each once; and what is too old out of them.

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "usage/usage_database.hpp"
#include "usage/usage_schema.hpp"
#include "usage/usage_sink.hpp"

namespace latchkey::usage {

struct Retention {
  std::chrono::seconds minutes{std::chrono::hours(48)};
  std::chrono::seconds hours{std::chrono::hours(24 * 90)};
  std::chrono::seconds days{std::chrono::hours(24 * 730)};
  std::chrono::seconds refusals{std::chrono::hours(24)};
  std::int64_t refusals_a_writer = 100'000;
  std::int64_t max_bytes = std::int64_t{1} << 30;  // past which minutes go first, then hours, then days
};

/// The sink that writes into a database itself.
class UsageStore final : public UsageSink {
 public:
  /// Whether all that write here are lives of one replica, of which a later one's batch says that the earlier ended.
  enum class Writers : std::uint8_t { one_replica, many };

  /// `clock` outlives it.
  UsageStore(std::unique_ptr<UsageDatabase> database, const Clock& clock, Retention retention, Writers writers);

  /// Always true or an error.
  Result<bool> write(const PackedBatch& batch) override;
  /// Removes what is too old, a bounded part of it. write() does it once a minute.
  Result<void> prune();

 private:
  Result<void> take(const PackedBatch& batch);
  Result<void> add(const PackedBatch& batch);
  Result<void> add_refusals(const PackedBatch& batch);
  Result<void> note_writer(const PackedBatch& batch);
  Result<void> remove_before(Resolution resolution, std::int64_t time);
  Result<void> remove_old();
  Result<void> remove_beyond_size();
  Result<void> run(std::string_view sql, std::initializer_list<Parameter> parameters = {});

  const std::unique_ptr<UsageDatabase> database_;
  const Clock& clock_;
  const Retention retention_;
  const Writers writers_;
  BootTime pruned_{};
};

}  // namespace latchkey::usage

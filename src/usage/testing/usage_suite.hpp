#pragma once

// What every place for usage must do, proved against each: a way in, a way out, and what it may lose.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "usage/usage_reader.hpp"
#include "usage/usage_store.hpp"

namespace latchkey::usage {

/// One place, empty.
class UsageWorld {
 public:
  virtual ~UsageWorld() = default;
  virtual std::unique_ptr<UsageDatabase> open_for_writing() = 0;
  virtual std::unique_ptr<UsageDatabase> open_for_reading() = 0;
  /// What writes there as a replica does; `retention` of the tables at the end.
  virtual std::unique_ptr<UsageSink> new_sink(const Clock& clock, Retention retention) {
    return std::make_unique<UsageStore>(open_for_writing(), clock, retention, UsageStore::Writers::many);
  }
};

struct UsageEngine {
  std::string name;
  std::function<std::unique_ptr<UsageWorld>()> make;
};

class UsageSuite : public testing::TestWithParam<UsageEngine> {
 protected:
  static constexpr UnixMillis noon{1'790'078'400'000};  // 2026-09-22T12:00:00Z

  void restart(Retention retention = {}) { sink_ = world_->new_sink(clock_, retention); }
  /// Until it has arrived.
  void write(const Batch& batch);
  void write(std::uint64_t seq, std::vector<Row> rows, const std::string& writer = std::string(32, 'a'));
  Answer read(Query query);
  static Row row(unsigned key, std::string user, std::uint64_t count, UnixMillis time = noon,
                 std::string outcome = "admitted", std::string plan = "");
  static KeyId key(unsigned number);

  ManualClock clock_{noon};
  std::unique_ptr<UsageWorld> world_ = GetParam().make();
  std::unique_ptr<UsageSink> sink_;
  std::unique_ptr<UsageReader> reader_;
};

}  // namespace latchkey::usage

#pragma once

// Questions to what was counted, for the management service.

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "usage/usage_database.hpp"
#include "usage/usage_schema.hpp"
#include "usage/use.hpp"

namespace latchkey::usage {

/// Of one group in one step of time, or in all of it.
struct Counts {
  std::uint64_t admitted = 0;
  std::uint64_t limited = 0;                     // by a window or a period
  std::uint64_t would_limit = 0;                 // of those admitted: an observed limit would have refused it
  std::map<std::string, std::uint64_t> refused;  // for another reason, by its name
  std::uint64_t cost = 0;                        // of those admitted

  void add(const std::string& outcome, std::uint64_t count, std::uint64_t cost_of_all);
  Counts& operator+=(const Counts& more);
  bool operator==(const Counts&) const = default;
};

enum class GroupBy : std::uint8_t { nothing, key, user, plan, outcome };

struct Query {
  UnixMillis from{};  // a multiple of the resolution, as `to`
  UnixMillis to{};    // exclusive
  Resolution resolution = Resolution::minute;
  std::optional<KeyId> key{};
  std::optional<std::string> user{};
  std::optional<std::string> plan{};
  GroupBy group_by = GroupBy::nothing;
  std::optional<std::size_t> top{};  // the groups with most requests only
};

constexpr std::int64_t most_points = 1500;  // of a series
constexpr std::size_t most_series = 100;

struct Series {
  std::optional<std::string> group;     // nullopt: no grouping, or what has no key, user or plan
  std::map<UnixMillis, Counts> points;  // where there is anything
};

struct Answer {
  Query query;                           // its resolution is coarser where what was asked for is not kept
  Resolution kept = Resolution::minute;  // the finest that is kept for all of it
  UnixMillis complete_until{};           // every request before is in it; later ones of a replica may be missing
  std::vector<Series> series{};
  Counts total{};
};

struct LastUse {
  UnixMillis time;
  std::optional<std::string> network;
};

/// A connection that is opened when it is needed, and anew after it failed; one question at a time.
class UsageConnection {
 public:
  explicit UsageConnection(std::unique_ptr<UsageDatabase> database) : database_(std::move(database)) {}

  /// ask(UsageDatabase&) → Result of something. ErrorCode::not_found: nothing was ever written.
  template <class Ask>
  auto ask(Ask ask) -> decltype(ask(std::declval<UsageDatabase&>())) {
    const MutexLock lock(mutex_);
    if (auto ready = database_->ready(); !ready) return ready.error();
    auto answer = ask(*database_);
    if (!answer && answer.error().code != ErrorCode::invalid) database_->give_up();
    return answer;
  }

 private:
  Mutex mutex_;
  const std::unique_ptr<UsageDatabase> database_;  // used with mutex_ held
};

/// Any thread may call any method.
class UsageReader {
 public:
  /// Where nothing was ever written, everything is nothing. Two connections to the same: what takes a millisecond does
  /// not wait behind sums over millions of rows.
  UsageReader(std::unique_ptr<UsageDatabase> for_sums, std::unique_ptr<UsageDatabase> for_rows)
      : sums_(std::move(for_sums)), rows_(std::move(for_rows)) {}

  /// Makes the tables where this is to make them (usage/postgres/postgres_usage.hpp). read() does it as well.
  Result<void> prepare();
  /// ErrorCode::invalid: more than most_series groups and no `top`. `now`: until when a service without any replica is
  /// complete.
  Result<Answer> read(const Query& query, UnixMillis now);
  /// Of those that were ever admitted.
  Result<std::map<KeyId, LastUse>> last_uses(std::span<const KeyId> keys);
  /// nullopt: no such refusal is kept.
  Result<std::optional<Refusal>> find_refusal(const std::string& id);

 private:
  UsageConnection sums_;
  UsageConnection rows_;
};

}  // namespace latchkey::usage

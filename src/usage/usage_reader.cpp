#include "usage/usage_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace latchkey::usage {
namespace {

/// A statement over counts, put together piece by piece.
class CountsSql {
 public:
  explicit CountsSql(const Query& query) {
    parameters_.emplace_back(query.from.count / millis_of(query.resolution));
    parameters_.emplace_back(query.to.count / millis_of(query.resolution));
    where_ = "u.time >= $1 AND u.time < $2";
    const bool by_key = query.group_by == GroupBy::key || query.group_by == GroupBy::user;
    if (query.key) {
      only("k.key_id = {}", query.key->to_string());
    } else if (query.user) {
      only("k.user_id = {}", *query.user);
    } else {
      where_ += by_key ? " AND u.key > 0" : " AND u.key = 0";  // the sums of all keys
    }
    joins_keys_ = by_key || query.key || query.user;
    if (query.plan) only("p.name = {}", *query.plan);
    from_ = fmt::format("{} u JOIN usage_names o ON o.id = u.outcome JOIN usage_names p ON p.id = u.plan",
                        table_of(query.resolution));
    if (joins_keys_) from_ += " JOIN usage_keys k ON k.id = u.key";
    switch (query.group_by) {
      case GroupBy::nothing:
        group_ = "NULL";
        break;
      case GroupBy::key:
        group_ = "k.key_id";
        break;
      case GroupBy::user:
        group_ = "k.user_id";
        break;
      case GroupBy::plan:
        group_ = "p.name";
        break;
      case GroupBy::outcome:
        group_ = "o.name";
        break;
    }
  }

  template <class Value>
  void only(std::string_view condition, Value value) {
    parameters_.emplace_back(std::move(value));
    where_ += " AND " + fmt::format(fmt::runtime(condition), fmt::format("${}", parameters_.size()));
  }
  void only_groups(const std::vector<Field>& groups) {
    std::string list;
    for (const auto& group : groups) {
      parameters_.emplace_back(group.value_or(""));
      list += fmt::format("{}${}", list.empty() ? "" : ", ", parameters_.size());
    }
    where_ += fmt::format(" AND {} IN ({})", group_, list);
  }

  const std::string& group() const { return group_; }
  std::string from_where() const { return fmt::format(" FROM {} WHERE {}", from_, where_); }
  std::span<const Parameter> parameters() const { return parameters_; }

 private:
  std::vector<Parameter> parameters_;
  std::string where_, from_, group_;
  bool joins_keys_ = false;
};

/// What has no key, user or plan has the empty text in the tables.
Field shown(const Field& group) { return group && group->empty() ? Field() : group; }

std::uint64_t count_of(const Field& field) { return static_cast<std::uint64_t>(integer_of(field)); }

}  // namespace

void Counts::add(const std::string& outcome, std::uint64_t count, std::uint64_t cost_of_all) {
  if (outcome == admitted_name) {
    admitted += count;
  } else if (outcome == would_limit_name) {
    would_limit += count;
  } else if (outcome == "rate-limited" || outcome == "quota-exceeded") {
    limited += count;
  } else {
    refused[outcome] += count;
  }
  cost += cost_of_all;
}

Counts& Counts::operator+=(const Counts& more) {
  admitted += more.admitted;
  limited += more.limited;
  would_limit += more.would_limit;
  cost += more.cost;
  for (const auto& [reason, count] : more.refused) refused[reason] += count;
  return *this;
}

namespace {

Result<Resolution> kept_for(UsageDatabase& database, UnixMillis from) {
  const auto since = database.query("SELECT resolution, since FROM usage_kept");
  if (!since) return since.error();
  for (const auto resolution : resolutions) {
    const bool gone = std::ranges::any_of(*since, [&](const Record& record) {
      return integer_of(record[0]) == static_cast<std::int64_t>(resolution) && integer_of(record[1]) > from.count;
    });
    if (!gone) return resolution;
  }
  return Resolution::day;
}

// By the writer that is known until the earliest moment, of those of which this may lack requests. One that ended without
// a word, by a kill, may lack what it admitted right after; that concerns a range that has that moment. One that has
// been silent for a quarter of an hour, while others were heard, has ended likewise.
Result<UnixMillis> complete_until(UsageDatabase& database, const Query& query, UnixMillis now) {
  const auto found = database.query(
      "SELECT min(covered_until) FROM usage_writers WHERE state <> 1 AND ((state = 0 AND covered_until >="
      " (SELECT max(covered_until) FROM usage_writers) - 900000) OR covered_until >= $1)",
      {query.from.count - 10'000});
  if (!found) return found.error();
  const auto& earliest = found->front()[0];
  const UnixMillis latest = std::min(query.to, now);
  return earliest ? std::min(latest, UnixMillis{integer_of(earliest)}) : latest;
}

Result<std::vector<Field>> groups_of(UsageDatabase& database, const Query& query) {
  CountsSql sql(query);
  sql.only("o.name <> {}", query.group_by == GroupBy::outcome ? std::string() : std::string(would_limit_name));
  const auto found =
      database.query(fmt::format("SELECT {0}, sum(u.count) AS n{1} GROUP BY {0} ORDER BY n DESC, {0} LIMIT {2}",
                                 sql.group(), sql.from_where(), query.top.value_or(most_series + 1)),
                     sql.parameters());
  if (!found) return found.error();
  if (found->size() > most_series) {
    return Error::invalid("groupBy", fmt::format("gives more than {} series: narrow it down, or name top, the number "
                                                 "of those with most requests",
                                                 most_series));
  }
  std::vector<Field> groups;
  for (const auto& record : *found) groups.push_back(record[0]);
  return groups;
}

Result<void> add_series(UsageDatabase& database, Answer& answer, const std::vector<Field>& groups) {
  const Query& query = answer.query;
  const bool grouped = query.group_by != GroupBy::nothing;
  if (grouped && groups.empty()) return {};
  CountsSql sql(query);
  if (grouped) sql.only_groups(groups);
  const auto found =
      database.query(fmt::format("SELECT {0}, u.time, o.name, sum(u.count), sum(u.cost){1} GROUP BY {2}u.time, o.name",
                                 sql.group(), sql.from_where(), grouped ? sql.group() + ", " : ""),
                     sql.parameters());
  if (!found) return found.error();
  std::map<Field, std::size_t> places;
  for (const auto& group : grouped ? groups : std::vector<Field>{Field()}) {
    places.emplace(group, answer.series.size());
    answer.series.push_back({shown(group), {}});
  }
  for (const auto& record : *found) {
    Counts& point = answer.series[places.at(record[0])].points[{integer_of(record[1]) * millis_of(query.resolution)}];
    point.add(record[2].value_or(""), count_of(record[3]), count_of(record[4]));
  }
  return {};
}

Result<void> add_total(UsageDatabase& database, Answer& answer) {
  Query all = answer.query;
  all.group_by = GroupBy::nothing;
  const CountsSql sql(all);
  const auto found = database.query(
      fmt::format("SELECT o.name, sum(u.count), sum(u.cost){} GROUP BY o.name", sql.from_where()), sql.parameters());
  if (!found) return found.error();
  for (const auto& record : *found) {
    answer.total.add(record[0].value_or(""), count_of(record[1]), count_of(record[2]));
  }
  return {};
}

Result<void> fill(UsageDatabase& database, Answer& answer, UnixMillis now) {
  const auto kept = kept_for(database, answer.query.from);
  if (!kept) return kept.error();
  answer.kept = *kept;
  answer.query.resolution = std::max(answer.query.resolution, *kept);
  // Before the counts are read: what comes meanwhile makes them more complete, not less.
  const auto complete = complete_until(database, answer.query, now);
  if (!complete) return complete.error();
  answer.complete_until = *complete;
  std::vector<Field> groups;
  if (answer.query.group_by != GroupBy::nothing) {
    auto found = groups_of(database, answer.query);
    if (!found) return found.error();
    groups = std::move(*found);
  }
  if (auto added = add_series(database, answer, groups); !added) return added;
  return add_total(database, answer);
}

}  // namespace

Result<void> UsageReader::prepare() {
  auto ready = sums_.ask([](UsageDatabase&) { return Result<void>(); });
  return !ready && ready.error().code != ErrorCode::not_found ? ready : Result<void>();
}

Result<Answer> UsageReader::read(const Query& query, UnixMillis now) {
  Answer answer{.query = query, .complete_until = std::min(query.to, now)};
  const auto filled = sums_.ask([&](UsageDatabase& database) { return fill(database, answer, now); });
  if (!filled && filled.error().code != ErrorCode::not_found) return filled.error();
  if (answer.series.empty() && query.group_by == GroupBy::nothing) answer.series.push_back({});
  return answer;
}

Result<std::map<KeyId, LastUse>> UsageReader::last_uses(std::span<const KeyId> keys) {
  std::map<KeyId, LastUse> uses;
  if (keys.empty()) return uses;
  std::vector<Parameter> ids;
  std::string list;
  for (const auto& key : keys) {
    ids.emplace_back(key.to_string());
    list += fmt::format("{}${}", list.empty() ? "" : ", ", ids.size());
  }
  const auto found = rows_.ask([&](UsageDatabase& database) {
    return database.query(fmt::format("SELECT key_id, last_used_at, last_address FROM usage_keys WHERE last_used_at"
                                      " IS NOT NULL AND key_id IN ({})",
                                      list),
                          ids);
  });
  if (!found)
    return found.error().code == ErrorCode::not_found ? Result<std::map<KeyId, LastUse>>(uses) : found.error();
  for (const auto& record : *found) {
    if (const auto id = KeyId::parse(record[0].value_or(""))) uses[*id] = {{integer_of(record[1])}, record[2]};
  }
  return uses;
}

Result<std::optional<Refusal>> UsageReader::find_refusal(const std::string& id) {
  const auto found = rows_.ask([&](UsageDatabase& database) {
    return database.query(
        "SELECT at, key_id, reason, limits, rule, position, network, sampled FROM usage_refusals WHERE id = $1", {id});
  });
  if (!found && found.error().code != ErrorCode::not_found) return found.error();
  if (!found || found->empty()) return std::optional<Refusal>();
  const Record& record = found->front();
  const auto text = [&](std::size_t i) -> std::string_view { return record[i] ? *record[i] : std::string_view(); };
  Refusal refusal{.id = {id}, .time = {integer_of(record[0])}, .key = KeyId::parse(text(1)).value_or(KeyId())};
  refusal.reason = {text(2)};
  refusal.limit = {text(3)};
  refusal.rule = {text(4)};
  refusal.position = {text(5)};
  refusal.network = {text(6)};
  refusal.sampled = integer_of(record[7]) != 0;
  return std::optional(refusal);
}

}  // namespace latchkey::usage

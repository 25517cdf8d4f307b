#include "usage/usage_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/log.hpp"

namespace latchkey::usage {
namespace {

constexpr std::string_view row_columns =
    "k text, u text, p text, o text, m bigint, n bigint, c bigint, t bigint, a text";
constexpr std::string_view refusal_columns =
    "i text, t bigint, k text, r text, l text, u text, p text, n text, s bigint";
constexpr std::int64_t rows_a_removal = 50'000;

/// `key`: which column of usage_rows' key the rows go to, or 0: the sum of all keys.
std::string add_sql(const UsageDatabase& database, Resolution resolution, std::string_view key) {
  const auto table = table_of(resolution);
  return fmt::format(
      "INSERT INTO {0} (key, time, plan, outcome, count, cost)"
      " SELECT {1}, b.m / {2}, p.id, o.id, sum(b.n), sum(b.c) FROM {3} AS b JOIN usage_keys k ON k.key_id = b.k"
      " JOIN usage_names p ON p.name = b.p JOIN usage_names o ON o.name = b.o WHERE b.n > 0"
      " GROUP BY {4}b.m / {2}, p.id, o.id ON CONFLICT (key, time, plan, outcome)"
      " DO UPDATE SET count = {0}.count + excluded.count, cost = {0}.cost + excluded.cost",
      table, key, minutes_of(resolution), database.json_rows(row_columns), key == "0" ? "" : "k.id, ");
}

}  // namespace

std::int64_t integer_of(const Field& field) {
  std::int64_t number = 0;
  if (field) std::from_chars(field->data(), field->data() + field->size(), number);
  return number;
}

UsageStore::UsageStore(std::unique_ptr<UsageDatabase> database, const Clock& clock, Retention retention,
                       Writers writers)
    : database_(std::move(database)), clock_(clock), retention_(retention), writers_(writers) {}

Result<void> UsageStore::run(std::string_view sql, std::initializer_list<Parameter> parameters) {
  const auto done = database_->query(sql, parameters);
  return done ? Result<void>() : done.error();
}

Result<bool> UsageStore::write(const PackedBatch& batch) {
  auto ready = database_->ready();
  if (!ready) return ready.error();
  auto taken = database_->begin();
  if (taken) taken = take(batch);
  if (taken) taken = database_->commit();
  if (!taken) {
    database_->give_up();
    return taken.error();
  }
  if (clock_.boot() - pruned_ > std::chrono::minutes(1)) {
    pruned_ = clock_.boot();
    if (auto pruned = prune(); !pruned) {
      log_warning("usage: what is too old cannot be removed: {} {}", pruned.error().detail, pruned.error().internal);
    }
  }
  return true;
}

Result<void> UsageStore::take(const PackedBatch& batch) {
  const auto known = database_->query("SELECT seq FROM usage_writers WHERE writer = $1", {batch.writer});
  if (!known) return known.error();
  const bool first = known->empty();
  if (!first && integer_of(known->front()[0]) >= static_cast<std::int64_t>(batch.seq)) return {};
  if (first && writers_ == Writers::one_replica) {
    if (auto lost = run("UPDATE usage_writers SET state = 2 WHERE state = 0"); !lost) return lost;
  }
  if (batch.row_count > 0) {
    if (auto added = add(batch); !added) return added;
  }
  if (batch.refusal_count > 0) {
    if (auto added = add_refusals(batch); !added) return added;
  }
  return note_writer(batch);
}

Result<void> UsageStore::add(const PackedBatch& batch) {
  const std::string rows = database_->json_rows(row_columns);
  const std::array statements{
      fmt::format("INSERT INTO usage_names (name) SELECT b.p FROM {0} AS b WHERE NOT EXISTS (SELECT 1 FROM usage_names"
                  " WHERE name = b.p) GROUP BY b.p ON CONFLICT (name) DO NOTHING",
                  rows),
      fmt::format("INSERT INTO usage_names (name) SELECT b.o FROM {0} AS b WHERE NOT EXISTS (SELECT 1 FROM usage_names"
                  " WHERE name = b.o) GROUP BY b.o ON CONFLICT (name) DO NOTHING",
                  rows),
      fmt::format("INSERT INTO usage_keys (key_id, user_id) SELECT b.k, max(b.u) FROM {0} AS b WHERE NOT EXISTS"
                  " (SELECT 1 FROM usage_keys WHERE key_id = b.k) GROUP BY b.k ON CONFLICT (key_id) DO NOTHING",
                  rows),
      fmt::format("UPDATE usage_keys SET last_used_at = b.t, last_address = b.a,"
                  " user_id = CASE WHEN b.u <> '' THEN b.u ELSE usage_keys.user_id END FROM {0} AS b"
                  " WHERE usage_keys.key_id = b.k AND b.t IS NOT NULL"
                  " AND (usage_keys.last_used_at IS NULL OR usage_keys.last_used_at < b.t)",
                  rows)};
  for (const auto& sql : statements) {
    if (auto done = run(sql, {batch.rows}); !done) return done;
  }
  for (const auto resolution : resolutions) {
    for (const std::string_view key : {"k.id", "0"}) {
      if (auto done = run(add_sql(*database_, resolution, key), {batch.rows}); !done) return done;
    }
  }
  return {};
}

Result<void> UsageStore::add_refusals(const PackedBatch& batch) {
  return run(fmt::format(
                 "INSERT INTO usage_refusals (id, at, key_id, reason, limits, rule, position, network, sampled, writer)"
                 " SELECT b.i, b.t, b.k, b.r, b.l, b.u, b.p, b.n, b.s, {1} FROM {0} AS b WHERE b.i <> ''"
                 " ON CONFLICT (id) DO NOTHING",
                 database_->json_rows(refusal_columns), "$2"),
             {batch.refusals, batch.writer});
}

// State: 0 goes on, 1 has ended and said so, 2 has ended without a word.
Result<void> UsageStore::note_writer(const PackedBatch& batch) {
  return run(
      "INSERT INTO usage_writers (writer, seq, covered_until, state) VALUES ($1, $2, $3, $4) ON CONFLICT (writer)"
      " DO UPDATE SET seq = excluded.seq, covered_until = excluded.covered_until, state = excluded.state",
      {batch.writer, static_cast<std::int64_t>(batch.seq), batch.covered_until.count,
       std::int64_t{batch.ended ? 1 : 0}});
}

Result<void> UsageStore::prune() {
  if (auto ready = database_->ready(); !ready) return ready;
  auto done = database_->begin();
  if (done) done = remove_old();
  if (done) done = remove_beyond_size();
  if (done) done = database_->commit();
  if (!done) database_->give_up();
  return done;
}

/// Nothing of before `time` is left, once it has been called often enough; from now on nobody relies on it.
Result<void> UsageStore::remove_before(Resolution resolution, std::int64_t time) {
  const auto table = table_of(resolution);
  const auto some = database_->query(fmt::format("SELECT 1 FROM {} WHERE time < $1 LIMIT 1", table), {time});
  if (!some) return some.error();
  if (some->empty()) return {};
  const auto last = database_->query(
      fmt::format("SELECT max(time) FROM (SELECT time FROM {0} WHERE time < $1 ORDER BY time LIMIT {1}) AS oldest",
                  table, rows_a_removal),
      {time});
  if (!last) return last.error();
  const std::int64_t before = integer_of(last->front()[0]) + 1;
  if (auto removed = run(fmt::format("DELETE FROM {} WHERE time < $1", table), {before}); !removed) return removed;
  return run(
      "INSERT INTO usage_kept (resolution, since) VALUES ($1, $2) ON CONFLICT (resolution)"
      " DO UPDATE SET since = CASE WHEN excluded.since > usage_kept.since THEN excluded.since ELSE usage_kept.since "
      "END",
      {static_cast<std::int64_t>(resolution), std::min(time, before) * millis_of(resolution)});
}

Result<void> UsageStore::remove_old() {
  const UnixMillis now = clock_.wall();
  const std::array kept{retention_.minutes, retention_.hours, retention_.days};
  for (const auto resolution : resolutions) {
    const auto since = now + -kept[static_cast<std::size_t>(resolution)];
    if (auto done = remove_before(resolution, since.count / millis_of(resolution)); !done) return done;
  }
  const auto since = now + -retention_.refusals;
  if (auto done = run("DELETE FROM usage_refusals WHERE at < $1", {since.count}); !done) return done;
  if (auto done =
          run("DELETE FROM usage_refusals WHERE EXISTS (SELECT 1 FROM (SELECT w.writer AS of_writer, (SELECT r.at FROM"
              " usage_refusals r WHERE r.writer = w.writer ORDER BY r.at DESC LIMIT 1 OFFSET $1) AS oldest FROM"
              " usage_writers w) AS most WHERE of_writer = usage_refusals.writer AND usage_refusals.at <= oldest)",
              {retention_.refusals_a_writer});
      !done) {
    return done;
  }
  // Of what is kept in minutes they may still have to say until when it is complete.
  return run("DELETE FROM usage_writers WHERE covered_until < $1", {(now + -retention_.hours).count});
}

// A tenth of what is there at a time, the finest first; a minute later again, if that was not enough.
Result<void> UsageStore::remove_beyond_size() {
  const auto used = database_->bytes();
  if (!used) return used.error();
  if (*used <= retention_.max_bytes) return {};
  for (const auto resolution : resolutions) {
    const auto range = database_->query(fmt::format("SELECT min(time), max(time) FROM {}", table_of(resolution)));
    if (!range) return range.error();
    if (!range->front()[0]) continue;
    const std::int64_t oldest = integer_of(range->front()[0]), newest = integer_of(range->front()[1]);
    if (oldest == newest && resolution != Resolution::day) continue;
    return remove_before(resolution, oldest + std::max<std::int64_t>((newest - oldest) / 10, 1));
  }
  return {};
}

}  // namespace latchkey::usage

#include "usage/usage_recorder.hpp"

#include <algorithm>
#include <mutex>
#include <tuple>
#include <utility>

namespace latchkey::usage {
namespace {

auto identity_of(const Row& row) { return std::tie(row.key, row.minute, row.outcome, row.plan); }

/// Rows of several stripes as one, sorted.
void merge(std::vector<Row>& rows) {
  std::ranges::sort(rows, {}, identity_of);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (kept > 0 && identity_of(rows[kept - 1]) == identity_of(rows[i])) {
      Row& into = rows[kept - 1];
      into.count += rows[i].count;
      into.cost += rows[i].cost;
      if (rows[i].last_use > into.last_use) {
        into.last_use = rows[i].last_use;
        into.address = rows[i].address;
      }
    } else {
      if (kept != i) rows[kept] = std::move(rows[i]);
      ++kept;
    }
  }
  rows.resize(kept);
}

/// Of each key's rows one has the time of its last use.
void keep_latest_use(std::vector<Row>& rows) {
  Row* latest = nullptr;
  for (auto& row : rows) {
    if (latest != nullptr && latest->key != row.key) latest = nullptr;
    if (!row.last_use) continue;
    if (latest != nullptr) (latest->last_use < row.last_use ? latest : &row)->last_use.reset();
    if (row.last_use) latest = &row;
  }
}

}  // namespace

UsageRecorder::UsageRecorder(std::span<const std::string_view> outcomes, std::size_t most_entries_a_stripe)
    : outcomes_(outcomes), taken_(most_entries_a_stripe) {
  for (std::size_t i = 0; i < Counter::stripe_count; ++i) {
    stripes_.push_back(std::make_unique<Stripe>(most_entries_a_stripe));
  }
}

void UsageRecorder::count(const Use& use) {
  Stripe& stripe = *stripes_[Counter::stripe()];
  bool counted = false;
  {
    const std::lock_guard lock(stripe.lock);
    counted = stripe.counting.add(use);
  }
  if (!counted) dropped_.add();
}

bool UsageRecorder::keep(Stripe& stripe, Refusal& refusal) {
  Sampler& sampler = stripe.samplers[std::hash<KeyId>()(refusal.key) % stripe.samplers.size()];
  const std::int64_t second = refusal.time.seconds();
  if (sampler.key != refusal.key || sampler.second != second) {
    // The first of another second says as well whether the second before had too many.
    sampler = {refusal.key, second, 0};
  }
  ++sampler.seen;
  refusal.sampled = sampler.seen > refusals_a_second;
  return !refusal.sampled || sampler.seen % one_in == 0;
}

void UsageRecorder::refuse(const Refusal& refusal) {
  if (refusals_.load(std::memory_order_relaxed) >= most_refusals) return;
  Stripe& stripe = *stripes_[Counter::stripe()];
  Refusal kept = refusal;
  const std::lock_guard lock(stripe.lock);
  if (!keep(stripe, kept)) return;
  stripe.refusals.push_back(kept);
  refusals_.fetch_add(1, std::memory_order_relaxed);
}

void UsageRecorder::add_rows(const UsageTable& table, std::vector<Row>& rows) const {
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto& entry = table.entry(i);
    Row row{.key = entry.key,
            .user_id = {},
            .plan = std::string(table.plan_of(entry)),
            .outcome = std::string(outcomes_[entry.outcome]),
            .minute = table.minute_of(entry),
            .count = entry.count,
            .cost = entry.cost};
    if (entry.outcome == admitted && entry.key != KeyId()) {
      row.last_use = table.last_use_of(entry);
      row.address = {entry.address, entry.address_is_v4 == 1};
    }
    rows.push_back(std::move(row));
  }
}

Taken UsageRecorder::take() {
  Taken taken;
  for (auto& stripe : stripes_) {
    std::vector<Refusal> refusals;
    {
      const std::lock_guard lock(stripe->lock);
      std::swap(stripe->counting, taken_);
      refusals.swap(stripe->refusals);
    }
    add_rows(taken_, taken.rows);
    taken_.clear();
    refusals_.fetch_sub(refusals.size(), std::memory_order_relaxed);
    taken.refusals.insert(taken.refusals.end(), refusals.begin(), refusals.end());
  }
  merge(taken.rows);
  keep_latest_use(taken.rows);
  return taken;
}

std::size_t UsageRecorder::pending() const {
  std::size_t entries = 0;
  for (const auto& stripe : stripes_) {
    const std::lock_guard lock(stripe->lock);
    entries += stripe->counting.size();
  }
  return entries;
}

}  // namespace latchkey::usage

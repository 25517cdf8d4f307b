#pragma once

// Counts requests where they are answered. Any thread counts; one thread takes what was counted, every few seconds.
//
//   I/O thread ── count() ──> stripe (a table of its own, nearly) ──┐
//   I/O thread ── count() ──> stripe                                ├── take() ── UsageLoop ──> store
//   worker     ── refuse() ─> stripe                                ┘
//
// A stripe's lock is held for some ten nanoseconds, and nearly always by the same thread. No system call; memory is
// taken when more keys than before are used within one interval (usage_table.hpp).

#include <array>
#include <atomic>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "base/metrics.hpp"
#include "limit/spin_lock.hpp"
#include "usage/usage_batch.hpp"
#include "usage/usage_table.hpp"

namespace latchkey::usage {

/// What was counted between two calls of take(). `rows` have no user ids yet, and are sorted by key.
struct Taken {
  std::vector<Row> rows;
  std::vector<Refusal> refusals;
};

class UsageRecorder {
 public:
  /// `outcomes`: their names, by Use::outcome; the first two are admitted_name and would_limit_name. Outlives this.
  explicit UsageRecorder(std::span<const std::string_view> outcomes,
                         std::size_t most_entries_a_stripe = UsageTable::default_most_entries);

  void count(const Use& use);
  /// Above 100 of a key in a second one in 1024 is kept, and marked as sampled; above 20,000 between two calls of take()
  /// none.
  void refuse(const Refusal& refusal);

  Taken take();

  /// Requests that are not in any batch, since there was no room.
  std::uint64_t dropped() const { return dropped_.value(); }
  /// Entries that wait for take().
  std::size_t pending() const;

  static constexpr std::uint32_t refusals_a_second = 100;
  static constexpr std::uint32_t one_in = 1024;
  static constexpr std::size_t most_refusals = 20'000;

 private:
  struct Sampler {
    KeyId key;
    std::int64_t second = -1;
    std::uint32_t seen = 0;
  };
  struct alignas(64) Stripe {
    limit::SpinLock lock;
    UsageTable counting;
    std::vector<Refusal> refusals;
    std::array<Sampler, 64> samplers{};  // by the key's hash: two keys that share one are sampled sooner
    explicit Stripe(std::size_t most) : counting(most) {}
  };
  static bool keep(Stripe& stripe, Refusal& refusal);
  void add_rows(const UsageTable& table, std::vector<Row>& rows) const;

  const std::span<const std::string_view> outcomes_;
  std::vector<std::unique_ptr<Stripe>> stripes_;
  UsageTable taken_;
  std::atomic<std::size_t> refusals_{0};  // that wait
  Counter dropped_;
};

}  // namespace latchkey::usage

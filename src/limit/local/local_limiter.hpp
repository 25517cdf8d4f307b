#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "limit/local/block_pool.hpp"
#include "limit/local/limit_file.hpp"
#include "limit/rate_limiter.hpp"

namespace latchkey::limit {

/// The limiter of one process: exact, always decides at once. Reads the clock's boot time only. With a file it goes on
/// where the process before it ended, however that ended; what an unusable file would have told counts as used up.
///
/// Keys are spread over shards, each with its own lock; a decision takes one lock, reads the clock under it, so that
/// stamps ascend as admissions do, and allocates nothing for a key that was seen before. Memory is bounded by the keys
/// admitted within the last 61 seconds, 320 bytes each and an index: what is idle longer is reused, a few blocks at a
/// call, and nothing that holds a permit is ever dropped. Memory once needed is reused, not given back to the system.
class LocalLimiter final : public RateLimiter {
 public:
  /// `clock` outlives the limiter. Without a file: of this process's life only.
  explicit LocalLimiter(const Clock& clock, LimitFile file = LimitFile());
  ~LocalLimiter() override;
  LocalLimiter(const LocalLimiter&) = delete;
  LocalLimiter& operator=(const LocalLimiter&) = delete;

  /// Never nullopt, never `unavailable`. `limit.version` plays no part: within one process the caller's view decides.
  std::optional<Decision> try_admit(KeyId key, Limit limit) override;
  /// Calls `done` before it returns.
  void admit_later(KeyId key, Limit limit, Later done) override;
  Allowance peek(KeyId key, Limit limit) override;
  void expect(std::span<const KeyId> keys) override;
  /// Marks the file as being of now; says so once where the next process will not find it.
  void keep() override;

  /// For metrics; takes each lock in turn.
  struct Size {
    std::size_t keys = 0;    // with a block: live, or idle and not yet swept
    std::size_t blocks = 0;  // ever needed at once
  };
  Size size() const;
  /// False without a file, from the moment the disk had no room for it to grow, and where it is not at its path any
  /// more.
  bool survives_restart() const { return !pool_.continues_in_memory() && pool_.file().is_at_its_path(); }
  /// Why not all is known of what an earlier process admitted; empty when it is, or there was none.
  std::string_view why_past_is_unknown() const { return pool_.file().why_past_is_unknown(); }
  /// For how long nothing is admitted because of what is not known of the past; 0: not at all.
  std::uint32_t seconds_of_unknown_past() const;

 private:
  struct Shard;
  struct Place;
  Place place_of(const KeyId& key) const;
  std::int64_t now_ms() const;
  Decision admit(const KeyId& key, Limit limit);
  UnknownPast unknown_past(std::int64_t now_ms);
  void adopt_all();

  // 10 million live keys make 10,000 a shard: growing its index, the longest single step, stays near 0.1 ms.
  static constexpr unsigned shard_bits = 10;

  static constexpr std::size_t shard_count = std::size_t{1} << shard_bits;

  const Clock& clock_;
  BlockPool pool_;
  std::atomic<std::int64_t> unknown_until_ms_;  // of what was admitted before, not all is known
  std::atomic<bool> cut_was_noted_{false};
  std::unique_ptr<Shard[]> shards_;
  bool lost_ = false;  // the file is not at its path; of the thread that calls keep()
};

}  // namespace latchkey::limit

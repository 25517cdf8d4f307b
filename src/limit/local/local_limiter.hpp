#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "limit/local/block_pool.hpp"
#include "limit/local/charge_desk.hpp"
#include "limit/local/counter_room.hpp"
#include "limit/local/limit_file.hpp"
#include "limit/local/long_clock.hpp"
#include "limit/local/long_term.hpp"
#include "limit/local/reserver.hpp"
#include "limit/local/shards.hpp"
#include "limit/rate_limiter.hpp"

namespace latchkey::limit {

/// The limiter of one process: exact, always decides at once. Reads the clock's boot time only. With a file it goes on
/// where the process before it ended, however that ended; what an unusable file would have told counts as used up.
///
/// Keys are spread over shards, each with its own lock; a decision takes one lock, reads the clock under it, so that
/// stamps ascend as admissions do, and allocates nothing for a key that was seen before. Memory is bounded by the keys
/// admitted within the last 61 seconds, 320 bytes each and an index: what is idle longer is reused, a few blocks at a
/// call, and nothing that holds a permit is ever dropped. Memory once needed is reused, not given back to the system.
///
/// Counts of windows of more than a minute and of periods stand in a ledger of their own, which outlives the machine
/// (limit/local/long_counters.hpp); a request under one may have to wait for a sync, and then takes charge_later().
class LocalLimiter final : public RateLimiter, private ReserverHost {
 public:
  /// `clock` outlives the limiter. Without a file: of this process's life only. Without a ledger: long counts too.
  explicit LocalLimiter(const Clock& clock, LimitFile file = LimitFile(), LongTerm long_term = {},
                        std::size_t max_counters = CounterRoom::usual_most);
  ~LocalLimiter() override;
  LocalLimiter(const LocalLimiter&) = delete;
  LocalLimiter& operator=(const LocalLimiter&) = delete;

  /// Never nullopt, never `unavailable`. `limit.version` plays no part: within one process the caller's view decides.
  std::optional<Decision> try_admit(KeyId key, Limit limit) override;
  /// Calls `done` before it returns.
  void admit_later(KeyId key, Limit limit, Later done) override;
  Allowance peek(KeyId key, Limit limit) override;
  std::optional<Verdict> try_charge(const Charge& charge) override;
  void charge_later(const Charge& charge, VerdictLater done) override;
  Verdict look(const Charge& charge) override;
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
  const CounterRoom& room() const { return room_; }
  /// Counters of windows of more than a minute, and of periods.
  std::size_t long_counters() const;
  /// False while the ledger cannot be written: requests under long limits are `unavailable`.
  bool ledger_is_healthy() const { return reserver_ == nullptr || reserver_->is_healthy(); }
  /// Where the limiter has no thread of its own: one round of its work (LongTerm::own_thread).
  bool step() { return reserver_ != nullptr && reserver_->step(); }

 private:
  struct Place;
  Place place_of(const KeyId& key) const;
  std::int64_t now_ms() const;
  Decision admit(const KeyId& key, Limit limit);
  UnknownPast unknown_past(std::int64_t now_ms);
  void adopt_all();
  bool adopt(std::uint32_t number, std::int64_t now_ms);
  bool adopt_window(std::uint32_t number, std::int64_t now_ms);
  void adopt_ledger(const LedgerContent& content);
  void sweep_long();
  void warn_of_room();

  void gather(std::vector<LedgerSet>& sets) override;
  void publish(const std::vector<LedgerSet>& sets) override;
  std::string describe(bool exactly) override;
  LedgerMark mark() override { return long_clock_.mark(); }
  std::optional<Verdict> decide_or_want(const Charge& charge) override;

  const Clock& clock_;
  CounterRoom room_;
  BlockPool pool_;
  std::atomic<std::int64_t> unknown_until_ms_;  // of what was admitted before, not all is known
  std::atomic<bool> cut_was_noted_{false};
  Shards shards_;
  LongClock long_clock_;
  ChargeDesk desk_;
  std::unique_ptr<LedgerStorage> ledger_;  // null: none
  std::unique_ptr<Reserver> reserver_;     // null: none
  // Of the thread that calls keep():
  bool lost_ = false;  // the file is not at its path
  bool warned_of_room_ = false;
  std::size_t next_swept_ = 0;
};

}  // namespace latchkey::limit

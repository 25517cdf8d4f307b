#pragma once

// Makes permits durable before they are spent: one sync of the ledger for all that want some. A request that finds
// none set aside waits here, and no thread waits with it.
//
//   request ──▶ try_charge: fits, not set aside ──▶ wait_for(): queue
//   thread:     gather what all want → ledger, one sync → publish → ask again for each that waits → answer
//
// A disk that stalls or fails lets nobody by: after `patience` the answer is `unavailable`.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "limit/active_limit.hpp"
#include "limit/local/ledger_file.hpp"
#include "limit/local/ledger_format.hpp"

namespace latchkey::limit {

/// The owner of the permits. Called by the reserver's thread.
class ReserverHost {
 public:
  virtual ~ReserverHost() = default;
  virtual void gather(std::vector<LedgerSet>& sets) = 0;
  virtual void publish(const std::vector<LedgerSet>& sets) = 0;
  /// LongCounters::describe() of all, then the clocks' mark.
  virtual std::string describe(bool exactly) = 0;
  virtual LedgerMark mark() = 0;
  /// nullopt: still not set aside, and asked for again.
  virtual std::optional<Verdict> decide_or_want(const Charge& charge) = 0;
};

/// Any thread may call any method.
class Reserver {
 public:
  using Later = std::move_only_function<void(Verdict)>;
  static constexpr Duration patience = std::chrono::seconds(1);
  static constexpr std::size_t most_waiting = 100'000;

  /// All outlive it. The first round writes the ledger anew.
  Reserver(LedgerStorage& ledger, const Clock& clock, ReserverHost& host);
  /// Answers all that wait, and leaves a ledger from which nothing is lost.
  ~Reserver();
  Reserver(const Reserver&) = delete;
  Reserver& operator=(const Reserver&) = delete;

  /// A thread of its own from now on; before, step() does its work.
  void start();
  /// `done` is called once, on any thread.
  void wait_for(const Charge& charge, Later done);
  /// There are permits to be set aside that nothing waits for.
  void wake();
  /// One round; false: there was nothing to do, or the ledger cannot be written just now.
  bool step();
  /// Ten times a second: what has waited for too long is answered.
  void expire();
  /// False: the ledger could not be written at the last attempt.
  bool is_healthy() const { return !broken_; }

 private:
  struct Waiting {
    KeptCharge charge;
    Later done;
    BootTime since;
  };
  void run();
  bool write(const std::vector<LedgerSet>& sets);
  void answer_in_flight();
  std::vector<Waiting> take_if_expired(std::vector<Waiting>& from);
  static void give_up(std::vector<Waiting> waiting);

  LedgerStorage& ledger_;
  const Clock& clock_;
  ReserverHost& host_;
  std::mutex mutex_;
  std::vector<Waiting> waiting_;    // guarded by mutex_: for the next round
  std::vector<Waiting> in_flight_;  // guarded by mutex_: for the end of this one
  std::atomic<std::uint32_t> work_{1};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> broken_{true};  // nothing may be appended; at first, since the first write is a whole ledger
  std::atomic<BootTime> written_{};
  std::size_t bytes_ = 0;  // of the ledger; of the thread
  std::size_t bytes_at_rewrite_ = 0;
  std::thread thread_;
};

}  // namespace latchkey::limit

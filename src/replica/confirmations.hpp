#pragma once

// The answers that wait until a change is enforced everywhere. One thread looks at the registry for all of them: often
// while there are any, once a second otherwise, so that it knows since when a replica has been silent.

#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/condition.hpp"
#include "base/metrics.hpp"
#include "replica/confirmation.hpp"
#include "replica/replica_watch.hpp"
#include "replica/store_log.hpp"

namespace latchkey::replica {

struct ConfirmationsConfig {
  std::size_t max_waiting = 256;
  std::chrono::microseconds first_pause{500};  // between looks; doubles while nobody new comes
  std::chrono::microseconds longest_pause{20'000};
  std::chrono::microseconds idle_pause{1'000'000};
};

/// Any thread may call any method.
class Confirmations {
 public:
  using Done = std::move_only_function<void(Confirmation)>;

  Confirmations(ReplicaWatch& watch, StoreLog log, const Clock& clock, Metrics& metrics,
                ConfirmationsConfig config = {});
  /// As stop().
  ~Confirmations();
  Confirmations(const Confirmations&) = delete;
  Confirmations& operator=(const Confirmations&) = delete;

  /// Whether an admin or a key holder waits. Key holders share a quarter of the places, so that they leave room for the
  /// admins.
  enum class Waiter : std::uint8_t { admin, holder };

  /// The right to wait; given back at its end.
  class Place {
   public:
    Place(Place&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), waiter_(other.waiter_) {}
    Place& operator=(Place&& other) noexcept;
    ~Place();

   private:
    friend class Confirmations;
    Place(Confirmations& owner, Waiter waiter) : owner_(&owner), waiter_(waiter) {}
    Confirmations* owner_;
    Waiter waiter_;
  };
  /// To be asked for before the change is made. nullopt: all are taken.
  [[nodiscard]] std::optional<Place> reserve(Waiter waiter);

  /// The change has been committed. Calls `done` once, on the thread of this object, when the change is enforced or
  /// `bound` has passed; on the caller's after stop().
  void confirm(Place place, LogEnd change, Duration bound, Done done);

  /// Answers all that wait, and all that come later, at once: a server that stops has no time to wait.
  void stop();

 private:
  struct Waiting {
    Place place;
    Commit commit;
    BootTime deadline;
    Done done;
  };
  struct Round;

  void run();
  bool await_work(std::chrono::microseconds& pause);
  void look_for_all();
  bool settle(Waiting& waiting, Round& round);
  void answer(Waiting& waiting, Confirmation confirmation);
  void add_metrics(Metrics& metrics);
  std::size_t& taken_by(Waiter waiter) REQUIRES(mutex_) { return taken_[static_cast<std::size_t>(waiter)]; }

  ReplicaWatch& watch_;
  const StoreLog log_;
  const Clock& clock_;
  const ConfirmationsConfig config_;
  /// What the last look found, for a caller that may not wait for the next: at most a second old, or as old as a registry is
  /// silent.
  struct {
    std::atomic<double> running{0};
    std::atomic<double> oldest_view{0};
  } last_look_;
  std::array<Counter*, 5> outcomes_{};
  Histogram* seconds_ = nullptr;
  Mutex mutex_;
  Condition wake_;
  std::array<std::size_t, 2> taken_ GUARDED_BY(mutex_){};  // by Waiter
  std::vector<Waiting> fresh_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<Waiting> waiting_;  // the thread's own
  std::thread thread_;
};

}  // namespace latchkey::replica

#pragma once

// The core of every simulation: virtual time, events in its order, and one seed for all chance. One thread.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace latchkey::simulation {

/// True time since the beginning of the simulation; no node can read it.
using Time = Duration;

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}

  Time now() const { return now_; }
  void at(Time time, std::function<void()> event) { events_.push({std::max(time, now_), ++order_, std::move(event)}); }
  void after(Duration delay, std::function<void()> event) { at(now_ + delay, std::move(event)); }
  /// Time passes inside an event; what was due meanwhile happens late.
  void stall(Duration duration) { now_ += duration; }

  /// Everything that happens until `end`, or until `stop()` is true.
  template <class Stop>
  void run_until(Time end, Stop stop) {
    while (!events_.empty() && events_.top().time <= end && !stop()) {
      Event next = std::move(const_cast<Event&>(events_.top()));
      events_.pop();
      now_ = std::max(now_, next.time);
      next.run();
    }
    now_ = std::max(now_, end);
  }

  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  bool chance(double probability) { return std::uniform_real_distribution<>(0, 1)(random_) < probability; }
  double real(double from, double to) { return std::uniform_real_distribution<>(from, to)(random_); }
  Duration duration(Duration from, Duration to) {
    return from + Duration(static_cast<std::int64_t>(pick(static_cast<std::uint64_t>((to - from).count()) + 1)));
  }

 private:
  struct Event {
    Time time;
    std::uint64_t order;  // of two at one time the earlier made happens first
    std::function<void()> run;
    bool operator<(const Event& other) const { return std::tie(time, order) > std::tie(other.time, other.order); }
  };

  std::mt19937_64 random_;
  Time now_{};
  std::uint64_t order_ = 0;
  std::priority_queue<Event> events_;
};

}  // namespace latchkey::simulation

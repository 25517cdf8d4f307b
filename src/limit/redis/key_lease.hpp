#pragma once

// What one replica knows of one counter: the lease it spends from, and what the store last said. Pure: the clock is an
// argument, replies are events, calls are values. One thread at a time. A request takes one permit (try_admit), or what it
// costs of several counters: state() and take() of each, or give_back().

#include <cstdint>
#include <optional>

#include "limit/redis/lease_protocol.hpp"

namespace latchkey::limit::lease {

class KeyLease {
 public:
  /// This replica's clock runs at 1 / (1 + clock_drift) to 1 + clock_drift of the store's.
  explicit KeyLease(double clock_drift = drift, const Span& span = {})
      : drift_(clock_drift), span_(span), tick_ns_(span.tick_ns()) {}

  /// Decides by what is here; nullopt: the store must be asked. An admission takes its permit first and reads the clock
  /// then: a thread that was stopped in between sees that the lease has ended.
  std::optional<Decision> try_admit(const Limit& limit, const Clock& clock);
  Allowance peek(const Limit& limit, BootTime now) const;

  /// Of a request that costs `units`.
  enum class State : std::uint8_t {
    has,      // they are here
    refuses,  // the store has not as many, and will not before it is asked again
    unknown   // the store must be asked
  };
  State state(const Limit& limit, std::uint32_t units, BootTime now) const;
  /// False: they are not here. The clock is to be read afterwards, and compared with lease_ends().
  bool take(const Limit& limit, std::uint32_t units);
  void give_back(std::uint32_t units) { lease_.left += units; }
  BootTime lease_ends() const { return lease_.ends; }
  /// Rounded up; surely enough for `units` if nobody else takes any.
  std::uint32_t seconds_until_free(const Limit& limit, std::uint32_t units, BootTime now) const;

  /// The next call, not before the one under way was answered or lost; it ends the lease. `waiting` requests want a
  /// permit; at 0 the call only returns what is left, and learns what is used. `now` is read before it is sent.
  Call next_call(const KeyId& key, const Limit& limit, std::uint64_t number, std::uint32_t waiting,
                 std::uint32_t replicas, BootTime now, std::uint32_t least = 1);
  /// False: an answer to another call than the one under way, which changes nothing.
  bool replied(std::uint64_t number, const Reply& reply, BootTime now);
  /// The answer will never be taken: what was granted is burnt, unless a later call can still return it.
  void lost();

  bool asking() const { return asked_number_ != 0; }
  bool is_under_way(std::uint64_t number) const { return number != 0 && number == asked_number_; }
  /// Permits that can be spent no more but returned.
  bool holds_unspent(BootTime now) const {
    return (lease_.left > 0 && now >= lease_.ends) || (lost_since_ != 0 && now < lost_until_);
  }
  bool holds_lease(BootTime now) const { return lease_.left > 0 && now < lease_.ends; }
  /// Requests are refused here, without asking.
  bool refuses(BootTime now) const { return now < refused_until_; }
  /// Ends the lease now, so that the next call returns it.
  void end_lease() { lease_.ends = {}; }
  /// peek() answers by what was said in the last second.
  bool is_fresh(BootTime now) const { return said_ && now - received_ < std::chrono::seconds(1); }
  /// What was said last of a long span may be needed by a store that has forgotten it.
  bool remembers(BootTime now) const;
  /// As it was said last, less what is left of the lease here.
  std::uint32_t used(BootTime now) const;
  const Span& span() const { return span_; }
  /// The period that is asked about from now on. What was granted of another one is void.
  void enter(const PeriodBounds& period);

 private:
  struct Lease {
    std::uint64_t number = 0;  // 0: none
    Version version;
    Epoch epoch;
    std::uint32_t granted = 0;
    std::uint32_t left = 0;
    BootTime ends{};
  };

  /// What was said last is of this limit, or of a newer one of its epoch.
  bool knows(const Limit& limit) const { return said_ && limit.epoch == epoch_ && limit.version <= reply_.version; }
  /// When a permit was taken; nullopt: none could be.
  std::optional<BootTime> take_one(const Limit& limit, const Clock& clock);
  std::uint32_t batch(const Limit& limit, std::uint32_t waiting, std::uint32_t replicas, BootTime now);
  BootTime surely_before(std::int64_t store_ms) const;
  std::uint32_t seconds_until(std::int64_t store_ms, BootTime now) const;
  std::uint32_t seconds_until_more(const Limit& limit, std::uint32_t remaining, BootTime now) const;

  void forget_period();
  std::int64_t counts_for_ms() const;
  double longest_wait_s() const;
  Duration lasts(double clock_ms) const { return Duration(static_cast<std::int64_t>(clock_ms * tick_ns_)); }

  double drift_;
  Span span_;
  double tick_ns_;
  Lease lease_;
  std::uint32_t batch_ = 1;
  BootTime batch_until_{};  // then the key is cold again
  BootTime refused_until_{};
  std::uint32_t refused_units_ = 1;  // so many, or more
  // The last reply, the epoch of the limit it is about, and when it was asked for and received.
  bool said_ = false;
  Reply reply_;
  Epoch epoch_;
  BootTime asked_{};
  BootTime received_{};
  // Of a long span: what a store that forgot it is told. `known_in_`: its memory that it was heard from.
  std::uint32_t known_used_ = 0;
  std::int64_t known_in_ = 0;
  // The call under way.
  std::uint64_t asked_number_ = 0;
  BootTime asking_since_{};
  bool asked_for_permits_ = false;
  std::uint32_t asked_units_ = 1;
  PeriodBounds asked_period_{};
  Epoch asked_epoch_;
  // To be said again until it was heard: what is returned, and the first call since then that was lost.
  std::uint64_t returned_lease_ = 0;
  std::uint32_t returned_permits_ = 0;
  std::uint64_t lost_since_ = 0;
  BootTime lost_until_{};  // then it is of no use
};

}  // namespace latchkey::limit::lease

#include "limit/redis/key_lease.hpp"

#include <algorithm>
#include <cmath>

namespace latchkey::limit::lease {
namespace {

/// How long past its slot a lease is good. Of the half second that the window has to spare; without it a lease of a
/// slot's last millisecond would be void when it comes.
constexpr std::int64_t spare_ms = 1;
}  // namespace

std::optional<Decision> KeyLease::try_admit(const Limit& limit, const Clock& clock) {
  if (const auto taken = take_one(limit, clock)) {
    const Allowance left = peek(limit, *taken);
    return Decision{.admitted = true, .remaining = left.remaining, .reset_seconds = left.reset_seconds};
  }
  const BootTime now = clock.boot();
  if (!knows(limit) || lease_.left > 0 || !refuses(now)) return std::nullopt;
  const std::uint32_t wait = seconds_until_more(limit, 0, now);
  return Decision{.reset_seconds = wait, .retry_after_seconds = wait};
}

std::optional<BootTime> KeyLease::take_one(const Limit& limit, const Clock& clock) {
  if (!take(limit, 1)) return std::nullopt;
  // Taken before the clock is read: the moment of the admission then lies within the lease, however long this thread is
  // stopped between the two lines.
  const BootTime now = clock.boot();
  if (now < lease_.ends) return now;
  give_back(1);
  return std::nullopt;
}

bool KeyLease::take(const Limit& limit, std::uint32_t units) {
  if (lease_.left < units || lease_.left == 0) return false;
  if (limit.epoch != lease_.epoch || limit.version > lease_.version) return false;
  lease_.left -= units;
  return true;
}

KeyLease::State KeyLease::state(const Limit& limit, std::uint32_t units, BootTime now) const {
  const bool is_spendable = limit.epoch == lease_.epoch && limit.version <= lease_.version && now < lease_.ends;
  if (is_spendable && lease_.left >= units && lease_.left > 0) return State::has;
  if (!knows(limit) || lease_.left > 0 || !refuses(now) || units < refused_units_) return State::unknown;
  return State::refuses;
}

std::uint32_t KeyLease::seconds_until_free(const Limit& limit, std::uint32_t units, BootTime now) const {
  if (!said_ || !knows(limit)) return 0;
  const Allowance left = peek(limit, now);
  if (left.remaining >= units && !refuses(now)) return 0;
  const std::int64_t at_ms =
      units <= refused_units_ ? reply_.free_at_ms : std::max(reply_.free_at_ms, reply_.empty_at_ms);
  return std::max(1U, seconds_until(at_ms, now));
}

bool KeyLease::remembers(BootTime now) const {
  if (known_used_ == 0) return false;
  const std::int64_t counts_ms = reply_.empty_at_ms - reply_.now_ms;
  return now - received_ < lasts(static_cast<double>(counts_ms) * (1 + drift_));
}

void KeyLease::enter(const PeriodBounds& period) {
  if (span_.period == period) return;
  span_.period = period;
  forget_period();
}

void KeyLease::forget_period() {
  reply_.used = known_used_ = 0;
  refused_until_ = lease_.ends = {};
}

Allowance KeyLease::peek(const Limit& limit, BootTime now) const {
  const std::uint32_t most = knows(limit) ? reply_.limit : limit.requests_per_minute;
  const std::uint32_t used = this->used(now);
  if (used == 0) return {.remaining = most, .reset_seconds = 0};
  const std::uint32_t remaining = most - std::min(most, used);
  return {.remaining = remaining, .reset_seconds = seconds_until_more(limit, remaining, now)};
}

std::uint32_t KeyLease::used(BootTime now) const {
  const bool all_back = !said_ || now - received_ > lasts(static_cast<double>(counts_for_ms()) * (1 + drift_));
  return all_back ? 0 : reply_.used - std::min(reply_.used, lease_.left);
}

/// Until more than `remaining` are left. Under a limit that the store has not been asked about, nobody knows how many
/// permits must return first; the window's end is surely enough.
std::uint32_t KeyLease::seconds_until_more(const Limit& limit, std::uint32_t remaining, BootTime now) const {
  std::int64_t at_ms = reply_.reset_at_ms;
  if (remaining == 0) at_ms = knows(limit) ? std::max(at_ms, reply_.free_at_ms) : reply_.now_ms + counts_for_ms();
  return std::max(1U, seconds_until(at_ms, now));
}

Call KeyLease::next_call(const KeyId& key, const Limit& limit, std::uint64_t number, std::uint32_t waiting,
                         std::uint32_t replicas, BootTime now, std::uint32_t least) {
  Call call{.key = key, .limit = limit, .number = number, .replicas = replicas};
  call.span = span_;
  call.least = std::max(least, 1U);
  if (waiting > 0) call.wanted = std::max(batch(limit, waiting, replicas, now), call.least);
  if (lease_.number != 0) {
    returned_lease_ = lease_.number;
    returned_permits_ = lease_.left;
    if (lease_.left > 0) refused_until_ = {};
    lease_ = {};
  }
  call.returned_lease = returned_lease_;
  call.returned_permits = returned_permits_;
  call.lost_since = lost_since_;
  asked_number_ = number;
  asking_since_ = now;
  asked_for_permits_ = call.wanted > 0;
  asked_epoch_ = limit.epoch;
  asked_units_ = call.least;
  asked_period_ = span_.period;
  call.known_used = known_used_ - std::min(known_used_, returned_permits_);
  call.memory = known_in_;
  return call;
}

/// Twice as many when the last lease was used up before its end, as many as were spent of it when it was not, one when
/// the key was not asked for in a while.
std::uint32_t KeyLease::batch(const Limit& limit, std::uint32_t waiting, std::uint32_t replicas, BootTime now) {
  const std::uint32_t most = std::max(1U, limit.requests_per_minute / (4 * replicas));
  if (now >= batch_until_) {
    batch_ = 1;
  } else if (lease_.number != 0) {
    batch_ = lease_.left == 0 ? 2 * batch_ : std::max(1U, lease_.granted - lease_.left);
  }
  batch_ = std::clamp(std::max(batch_, waiting), 1U, most);
  return batch_;
}

bool KeyLease::replied(std::uint64_t number, const Reply& reply, BootTime now) {
  if (number == 0 || number != asked_number_) return false;  // the reply to a call that was given up
  asked_number_ = returned_lease_ = lost_since_ = 0;
  returned_permits_ = 0;
  asked_ = asking_since_;
  received_ = now;
  reply_ = reply;
  epoch_ = asked_epoch_;
  said_ = true;
  if (span_.is_long() && reply.certain) {
    known_used_ = reply.used;
    known_in_ = reply.memory;
  }
  if (reply.granted > 0) {
    const std::int64_t ends_ms = span_.lease_ends(reply.now_ms, reply.raw_ms);
    lease_ = {.number = number,
              .version = reply.version,
              .epoch = epoch_,
              .granted = reply.granted,
              .left = reply.granted,
              .ends = surely_before(ends_ms + (span_.is_period() ? 0 : spare_ms))};
    batch_until_ = lease_.ends + lasts(slot_ms);
  }
  refused_units_ = asked_units_;
  refused_until_ = reply.ask_at_ms > reply.now_ms ? surely_before(reply.ask_at_ms) : BootTime{};
  if (asked_period_ != span_.period) forget_period();  // another one was entered while this call was under way
  return true;
}

void KeyLease::lost() {
  if (lost_since_ == 0 || asked_for_permits_) {
    lost_until_ = asking_since_ + lasts(static_cast<double>(span_.beats_to_return() * slot_ms));
  }
  // Whatever that call was granted is never spent here. The next call says so, and the store counts it as returned.
  if (lost_since_ == 0) lost_since_ = asked_number_;
  asked_number_ = 0;
}

/// Until then the store's time has certainly not reached `store_ms`: the reply was executed after it was asked for, at
/// a time that may have been a whole millisecond further than it says.
BootTime KeyLease::surely_before(std::int64_t store_ms) const {
  return asked_ + lasts(static_cast<double>(store_ms - reply_.now_ms - 1) / (1 + drift_));
}

/// By then the store's time has certainly reached `store_ms`, rounded up: the reply was executed before it was
/// received.
std::uint32_t KeyLease::seconds_until(std::int64_t store_ms, BootTime now) const {
  const double passed_ms = static_cast<double>((now - received_).count()) / tick_ns_ * (1 - drift_);
  const double left_ms = static_cast<double>(store_ms - reply_.now_ms) - passed_ms;
  if (left_ms <= 0) return 0;
  const double seconds = std::ceil(left_ms / (1 - drift_) * tick_ns_ / 1e9);
  return static_cast<std::uint32_t>(std::min(seconds, longest_wait_s()));
}

/// All that was used then has left after so long.
std::int64_t KeyLease::counts_for_ms() const {
  return span_.is_period() ? span_.period.end.count - reply_.raw_ms : span_.whole_ms();
}

/// A store that lost its memory is closed for a minute, whatever the window.
double KeyLease::longest_wait_s() const {
  return std::max(std::ceil(static_cast<double>(counts_for_ms()) * tick_ns_ / 1e9), window_ms / 1e3);
}

}  // namespace latchkey::limit::lease

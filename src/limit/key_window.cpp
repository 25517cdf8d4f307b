#include "limit/key_window.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>

namespace latchkey::limit {
namespace {

std::uint32_t second_of(std::int64_t ms) { return static_cast<std::uint32_t>(ms / 1000); }

}  // namespace

Decision KeyWindow::try_admit(std::int64_t now_ms, std::uint32_t limit) {
  const std::int64_t now = settle(now_ms, limit);
  const bool admitted = used() < limit;
  if (admitted) take(now);
  const Allowance left = allowance(now, limit);
  return {.admitted = admitted,
          .remaining = left.remaining,
          .reset_seconds = left.reset_seconds,
          .retry_after_seconds = admitted ? 0 : left.reset_seconds};
}

Allowance KeyWindow::peek(std::int64_t now_ms, std::uint32_t limit) { return allowance(settle(now_ms, limit), limit); }

KeyWindow::Fit KeyWindow::fit(std::int64_t now_ms, std::uint32_t limit, std::uint32_t units) {
  const std::int64_t now = settle(now_ms, limit);
  const std::uint64_t in_use = used();
  Fit fit{.fits = true,
          .used = used(),
          .wait_seconds = 0,
          .reset_seconds = in_use == 0 ? 0 : allowance(now, limit).reset_seconds};
  if (in_use + units <= limit) return fit;
  const std::uint64_t must_return = std::min(in_use + units - limit, in_use);
  if (must_return > 0) fit.wait_seconds = seconds_until_returned(static_cast<std::uint32_t>(must_return), now);
  fit.fits = false;
  return fit;
}

void KeyWindow::take_units(std::int64_t now_ms, std::uint32_t limit, std::uint32_t units) {
  const std::int64_t now = settle(now_ms, limit);
  const std::uint32_t in_use = used();
  if (in_use == std::numeric_limits<std::uint32_t>::max()) return;  // of an unknown past nothing needs to be counted
  if (form_ == Form::ring && std::uint64_t{in_use} + units > Ring::capacity) to_buckets(now);
  if (form_ == Form::ring) {
    for (std::uint32_t taken = 0; taken < units; ++taken) take(now);
    return;
  }
  std::atomic_ref(last_ms_).store(now, std::memory_order_release);
  buckets_.take(second_of(now), std::min(units, std::numeric_limits<std::uint32_t>::max() - 1 - buckets_.used()));
}

/// Takes back what has left the window and gives the block the form for `limit`. Answers the time to go on with.
std::int64_t KeyWindow::settle(std::int64_t now_ms, std::uint32_t limit) {
  const std::int64_t now = std::max(now_ms, last_ms_);
  const bool is_known = form_ == Form::ring || form_ == Form::buckets;
  if (idle(now) || (!is_known && !UnknownPast{last_ms_}.matters(now))) {
    begin_anew(now, limit);
  } else if (form_ == Form::ring) {
    ring_.expire(now);
    if (limit > Ring::capacity) to_buckets(now);
  } else if (form_ == Form::buckets) {
    buckets_.advance(second_of(now));
    if (limit <= Ring::capacity && buckets_.used() <= Ring::capacity) to_ring(now);
  }
  return now;
}

void KeyWindow::begin_anew(std::int64_t now_ms, std::uint32_t limit) {
  if (limit <= Ring::capacity) {
    if (form_ == Form::ring) {
      ring_.tail = ring_.head;
      return;
    }
    set_form(Form::changing);
    std::construct_at(&ring_);
    return set_form(Form::ring);
  }
  if (form_ == Form::buckets) return buckets_.advance(second_of(now_ms));
  set_form(Form::changing);
  std::construct_at(&buckets_);
  buckets_.advance(second_of(now_ms));
  set_form(Form::buckets);
}

void KeyWindow::to_buckets(std::int64_t now_ms) {
  const Ring from = ring_;
  set_form(Form::changing);
  std::construct_at(&buckets_);
  buckets_.advance(second_of(now_ms));
  for (std::uint32_t permit = from.tail; permit != from.head; ++permit) {
    buckets_.take(second_of(now_ms - from.age_ms(permit, now_ms)));
  }
  set_form(Form::buckets);
}

void KeyWindow::to_ring(std::int64_t now_ms) {
  const Buckets from = buckets_;
  set_form(Form::changing);
  std::construct_at(&ring_);
  if (from.sum > 0) {
    for (std::uint32_t second = from.oldest; second <= from.newest; ++second) {
      const std::int64_t latest_ms = std::min(std::int64_t{second} * 1000 + 999, now_ms);
      for (std::uint32_t permit = 0; permit < from.at(second); ++permit) ring_.take(latest_ms);
    }
  }
  set_form(Form::ring);
}

void KeyWindow::recover(std::int64_t now_ms) {
  const bool known = last_ms_ <= now_ms && ((form_ == Form::ring && ring_.sound()) || form_ == Form::unknown ||
                                            (form_ == Form::buckets && buckets_.recover(second_of(now_ms))));
  if (known) return;
  // A change of form begins before the admission that wants it, so the last one was at last_ms_.
  distrust(form_ == Form::changing && last_ms_ <= now_ms ? last_ms_ : now_ms);
}

void KeyWindow::distrust(std::int64_t now_ms) {
  last_ms_ = now_ms;
  form_ = Form::unknown;
}

// No store of either side may be moved across by the compiler; death comes between two instructions, in their order.
void KeyWindow::set_form(Form form) {
  std::atomic_ref(form_).store(form, std::memory_order_release);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

std::uint32_t KeyWindow::used() const {
  if (form_ == Form::ring) return ring_.used();
  return form_ == Form::buckets ? buckets_.used() : std::numeric_limits<std::uint32_t>::max();
}

void KeyWindow::take(std::int64_t now_ms) {
  std::atomic_ref(last_ms_).store(now_ms, std::memory_order_release);
  if (form_ == Form::ring) return ring_.take(now_ms);
  buckets_.take(second_of(now_ms));
}

std::uint32_t KeyWindow::seconds_until_returned(std::uint32_t permits, std::int64_t now_ms) const {
  if (form_ == Form::ring) return ring_.seconds_until_returned(permits, now_ms);
  if (form_ == Form::buckets) return buckets_.ticks_until_returned(permits);
  return UnknownPast{last_ms_}.seconds_to_wait(now_ms);
}

/// After a limit was lowered, more permits may be in use than it allows: then one is free only when several have
/// returned.
Allowance KeyWindow::allowance(std::int64_t now_ms, std::uint32_t limit) const {
  if (limit == 0) return {.remaining = 0, .reset_seconds = static_cast<std::uint32_t>(window.count())};
  const std::uint32_t in_use = used();
  if (in_use == 0) return {.remaining = limit, .reset_seconds = 0};
  const std::uint32_t must_return = in_use < limit ? 1 : in_use - limit + 1;
  return {.remaining = in_use < limit ? limit - in_use : 0,
          .reset_seconds = seconds_until_returned(must_return, now_ms)};
}

}  // namespace latchkey::limit

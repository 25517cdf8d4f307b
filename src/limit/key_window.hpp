#pragma once

// The rate limit state of one key, whatever its limit: a Ring for limits up to 64, Buckets above. Pure: no clock, no
// lock.
//
// Either form answers for any limit that the holder has at the moment; what a change of limit must never do is forget a
// permit, or 1,000 → 50 → 1,000 within a minute would be a bypass. So:
// - ring → buckets at once when the limit passes 64: each stamp goes into its own second, exactly.
// - buckets → ring only once at most 64 permits are in use. Of those we know the second only, so each is stamped with
//   the last millisecond it can have had: s·1000 + 999, or now in the running second. Rounding late is safe for the
//   limit; and it is in use to s·1000 + 60,999 at most, while the true time was s·1000 or later: still within 61 s.

#include <cstdint>
#include <type_traits>

#include "limit/buckets.hpp"
#include "limit/rate_limiter.hpp"
#include "limit/ring.hpp"

namespace latchkey::limit {

/// A moment before which nothing is known of a key's admissions: they count as its whole limit, taken just then.
struct UnknownPast {
  std::int64_t until_ms;
  bool matters(std::int64_t now_ms) const { return now_ms - until_ms <= Ring::hold_ms; }
  /// While it matters, 1 to 61.
  std::uint32_t seconds_to_wait(std::int64_t now_ms) const {
    return static_cast<std::uint32_t>(until_ms + Ring::hold_ms + 1 - now_ms + 999) / 1000;
  }
};

/// One block of fixed layout; trivially copyable, so that it can live in a mapped file. Times are milliseconds since
/// boot and must not be negative; a time before that of an earlier call counts as that of the last admission.
class KeyWindow {
 public:
  KeyWindow() : ring_() {}

  /// Takes one permit if fewer than `limit` are in use. A limit of 0 admits nothing.
  Decision try_admit(std::int64_t now_ms, std::uint32_t limit);
  Allowance peek(std::int64_t now_ms, std::uint32_t limit);

  /// For requests of any cost, and under several limits: whether `units` more would be within `limit`, then taking them.
  struct Fit {
    bool fits;
    std::uint32_t used;
    std::uint32_t wait_seconds;   // until `units` more fit; 0 where they never will
    std::uint32_t reset_seconds;  // as in Allowance
  };
  Fit fit(std::int64_t now_ms, std::uint32_t limit, std::uint32_t units);
  /// Whether they fit or not: a limit that only observes counts all. Right after fit(), of the same time and limit.
  void take_units(std::int64_t now_ms, std::uint32_t limit, std::uint32_t units);

  /// No permit is in use and none can be again: the block may be forgotten.
  bool idle(std::int64_t now_ms) const { return now_ms - last_ms_ > idle_after_ms; }

  /// To be called once for a window that another process left, however that ended, before anything else. What cannot
  /// be made out counts as used up. `now_ms` must be of the same boot.
  void recover(std::int64_t now_ms);
  /// Whatever it holds, it counts as used up from now on, as long as that can matter.
  void distrust(std::int64_t now_ms);

  static constexpr std::int64_t idle_after_ms = 61'000;

 private:
  enum class Form : std::uint32_t {
    ring,
    buckets,
    changing,  // found so after a crash: not to be trusted
    unknown    // neither: up to last_ms_ anything may have been admitted
  };

  std::int64_t settle(std::int64_t now_ms, std::uint32_t limit);
  void begin_anew(std::int64_t now_ms, std::uint32_t limit);
  void to_buckets(std::int64_t now_ms);
  void to_ring(std::int64_t now_ms);
  void set_form(Form form);
  std::uint32_t used() const;
  void take(std::int64_t now_ms);
  std::uint32_t seconds_until_returned(std::uint32_t permits, std::int64_t now_ms) const;
  Allowance allowance(std::int64_t now_ms, std::uint32_t limit) const;

  std::int64_t last_ms_ = -idle_after_ms - 1;  // of the last admission
  Form form_ = Form::ring;
  union {
    Ring ring_;
    Buckets buckets_;
  };
};

static_assert(std::is_trivially_copyable_v<KeyWindow> && std::is_standard_layout_v<KeyWindow>);
static_assert(sizeof(KeyWindow) == 280);

}  // namespace latchkey::limit

// Random plans and arrivals at the local engine, against an exact log of what it admitted: several limits at once, windows
// of 1 s to 24 h and calendar periods, per key and per user, costs, observed limits, limits that change, kills, power
// cuts, reboots and disks that fail.
//
// LATCHKEY_SEED replays one seed; LATCHKEY_LONG=1 runs a campaign of 100,000 other ones.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "limit/local/local_limiter.hpp"
#include "limit/testing/simulated_ledger.hpp"
#include "limit/testing/temporary_limit_file.hpp"

namespace latchkey::limit {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::int64_t second_ns = 1'000'000'000;

/// What one counter admitted, by true time. It knows no ticks, only the contract.
class Log {
 public:
  void admitted(std::int64_t now_ns, std::uint32_t units) { entries_.push_back({now_ns, units}); }
  /// Units at or after `now_ns` − `back_ns`.
  std::uint64_t within(std::int64_t now_ns, std::int64_t back_ns) const { return since(now_ns - back_ns); }
  std::uint64_t since(std::int64_t from_ns) const {
    std::uint64_t units = 0;
    for (auto entry = entries_.rbegin(); entry != entries_.rend() && entry->at_ns >= from_ns; ++entry) {
      units += entry->units;
    }
    return units;
  }
  std::int64_t any(std::mt19937_64& random, std::int64_t otherwise) const {
    return entries_.empty() ? otherwise : entries_[random() % entries_.size()].at_ns;
  }

 private:
  struct Entry {
    std::int64_t at_ns;
    std::uint32_t units;
  };
  std::deque<Entry> entries_;
};

struct Counted {
  ActiveLimit limit;
  std::array<Log, 2> logs;                 // of each key; of the user in the first
  std::array<bool, 2> is_only_observed{};  // some of that log nobody waited for
  std::uint32_t most_requests = 0;
  std::uint64_t burnt = 0;  // at most so many were set aside when a process or the machine died
  Log& log(std::size_t key) { return logs[limit.per_user ? 0 : key]; }
};

class ChargeSimulation {
 public:
  explicit ChargeSimulation(std::uint64_t seed) : random_(seed) {
    for (KeyId& key : keys_) key = KeyId::generate({1'767'225'600'000}, ids_);
    boot_up();
    make_plan();
    start();
  }

  void run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      pass_time();
      if (chance(10)) change_requests();
      if (chance(15)) die();
      if (chance(20)) fail(true);
      if (chance(4)) fail(false);
      chance(5) ? wait_and_retry() : burst();
    }
  }
  std::string plan() const {
    std::string text;
    for (const Counted& each : counted_) {
      text += std::to_string(each.limit.requests) + (each.limit.calendar != nullptr ? " a period" : " in ") +
              (each.limit.calendar != nullptr ? "" : std::to_string(each.limit.window_seconds) + " s") +
              (each.limit.per_user ? " per user" : "") + (each.limit.observe ? " observed; " : "; ");
    }
    return text;
  }
  std::uint64_t admitted() const { return admitted_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t late() const { return late_; }

 private:
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  bool chance(std::uint64_t one_in) { return pick(one_in) == 0; }
  UnixMillis wall() const { return {true_ns_ / 1'000'000}; }

  // The world.

  void boot_up() {
    boot_ = {"boot " + std::to_string(random_())};
    clock_ =
        std::make_unique<ManualClock>(wall(), BootTime{static_cast<std::int64_t>(5 * second_ns + pick(second_ns))});
    ++boots_;
  }
  void start() {
    auto long_term = LongTerm::open(disk_.storage(), boot_).value();
    long_term.own_thread = false;
    started_ns_ = true_ns_;
    limiter_ =
        std::make_unique<LocalLimiter>(*clock_, file_.open(*clock_, PriorRun::none, boot_), std::move(long_term));
    rounds();
  }
  void fail(bool failing) {
    disk_.fail(failing);
    is_disk_failing_ = failing;
  }
  void rounds() {
    for (int round = 0; round < 4 && limiter_->step(); ++round) {
    }
  }
  void pass(Duration time) {
    true_ns_ += time.count();
    clock_->advance(time);
    clock_->set_wall(wall());
    limiter_->keep();
  }
  void pass_time() {
    const Counted& each = counted_[pick(counted_.size())];
    const std::int64_t window_ns = std::max<std::int64_t>(each.limit.window_seconds, 1) * second_ns;
    switch (pick(8)) {
      case 0:
        return to_edge(each.logs[0].any(random_, true_ns_) + window_ns);
      case 1:
        return to_edge(each.logs[0].any(random_, true_ns_) + window_ns / 60 * 61);
      case 2:
        return each.limit.calendar == nullptr ? void() : to_edge(each.limit.calendar->at(wall()).end.count * 1'000'000);
      case 3:
        return pass(nanoseconds(pick(3'000'000)));
      case 4:
        return pass(milliseconds(pick(1'500)));
      case 5:
        return pass(nanoseconds(pick(static_cast<std::uint64_t>(window_ns) / 3)));
      default:
        return;
    }
  }
  void to_edge(std::int64_t at_ns) {
    static constexpr std::int64_t offsets[] = {-1'000'000, -1, 0, 1, 1'000'000};
    const std::int64_t ahead = at_ns + offsets[pick(std::size(offsets))] - true_ns_;
    if (ahead > 0) pass(nanoseconds(ahead));
  }
  /// However a process can end.
  void die() {
    const bool cleanly = chance(3);
    if (!cleanly || is_disk_failing_) note_burnt();
    const std::string left = disk_.synced();
    limiter_.reset();
    if (!cleanly) disk_.synced() = left;  // it had no time to write its end
    if (chance(2)) {
      disk_.cut_power(random_);
      true_ns_ += static_cast<std::int64_t>(pick(chance(3) ? 7'200 : 3) * second_ns);
      boot_up();
    }
    start();
  }
  /// A hundredth of the limit may be set aside at any moment, and what a round set aside for a request that was not admitted then;
  /// where the disk failed, also for one that gave up. All may count in the next period as well.
  void note_burnt() {
    for (Counted& each : counted_) {
      if (LongCounters::is_long(each.limit)) forget_observed(each);
      each.burnt += 4 * std::max<std::uint64_t>(each.most_requests / 100, unspent_);
    }
  }

  /// Nobody waits for what only observes to be durable.
  static void forget_observed(Counted& each) {
    for (std::size_t i = 0; i < each.logs.size(); ++i) {
      if (!each.is_only_observed[i]) continue;
      each.burnt += each.logs[i].since(0);
      each.logs[i] = Log();
    }
  }

  // Plans.

  std::uint32_t some_requests() {
    static constexpr std::uint32_t edges[] = {1, 2, 3, 5, 60, 64, 65, 100, 400, 2'000};
    return chance(3) ? static_cast<std::uint32_t>(1 + pick(300)) : edges[pick(std::size(edges))];
  }
  ActiveLimit some_limit(std::size_t number) {
    static constexpr std::uint32_t windows[] = {1, 2, 7, 10, 60, 60, 61, 62, 90, 300, 3'600, 86'400};
    static constexpr const char* zones[] = {"UTC", "Europe/Berlin", "Africa/Cairo", "America/Havana", "Pacific/Apia"};
    LimitSpec spec;
    spec.name = number == 0 && chance(2) ? "per-minute" : "limit-" + std::to_string(number);
    spec.requests = some_requests();
    if (spec.name == "per-minute" || !chance(3)) {
      spec.span = LimitWindow{spec.name == "per-minute" ? 60 : windows[pick(std::size(windows))]};
    } else {
      const auto unit = static_cast<PeriodUnit>(pick(3));
      spec.span = LimitPeriod{unit, zones[pick(std::size(zones))], static_cast<std::uint8_t>(1 + pick(7))};
    }
    spec.per = spec.name != "per-minute" && chance(2) ? LimitPer::user : LimitPer::key;
    spec.mode = chance(6) ? LimitMode::observe : LimitMode::enforce;
    return active_limit(spec, "plan:test").value();
  }
  void make_plan() {
    const std::size_t count = 1 + pick(4);
    for (std::size_t i = 0; i < count; ++i) counted_.push_back({some_limit(i), {}, {}, 0, 0});
  }
  void change_requests() {
    ActiveLimit& limit = counted_[pick(counted_.size())].limit;
    limit.requests = some_requests();
    if (chance(6)) limit.observe = !limit.observe;
  }

  // Requests.

  std::uint32_t some_cost() {
    const std::uint32_t requests = counted_[pick(counted_.size())].limit.requests;
    if (!chance(4)) return 1;
    return static_cast<std::uint32_t>(chance(3) ? pick(requests + 2) : pick(5));
  }
  Charge charge_of(std::size_t key, std::uint32_t cost) {
    limits_.clear();
    for (Counted& each : counted_) {
      limits_.push_back(each.limit);
      each.most_requests = std::max(each.most_requests, each.limit.requests);
    }
    return {keys_[key], user_, limits_, cost};
  }
  Verdict ask(std::size_t key, std::uint32_t cost) {
    const Charge charge = charge_of(key, cost);
    if (auto at_once = limiter_->try_charge(charge)) {
      rounds();  // as the thread would
      return check(key, cost, *at_once);
    }
    std::optional<Verdict> verdict;
    limiter_->charge_later(charge, [&](Verdict later) { verdict = later; });
    rounds();
    if (!verdict) {  // the disk fails
      pass(seconds(1));
      EXPECT_TRUE(verdict && verdict->outcome == Outcome::unavailable) << "nobody waits for more than a second";
    }
    if (!verdict || !verdict->admitted())
      unspent_ = std::max<std::uint64_t>(unspent_, cost);  // it may be set aside now
    return verdict ? check(key, cost, *verdict) : Verdict{.outcome = Outcome::unavailable};
  }
  Verdict check(std::size_t key, std::uint32_t cost, const Verdict& verdict) {
    EXPECT_EQ(verdict.count, counted_.size() * (verdict.outcome == Outcome::unavailable ? 0 : 1));
    if (verdict.admitted()) check_admission(key, cost, verdict);
    if (verdict.outcome == Outcome::limited) check_refusal(key, cost, verdict);
    if (verdict.outcome == Outcome::unavailable) ++late_;
    if (verdict.outcome == Outcome::cost_exceeds_limit) {
      EXPECT_TRUE(std::ranges::any_of(
          counted_, [&](const Counted& each) { return !each.limit.observe && cost > each.limit.requests; }));
    }
    return verdict;
  }
  std::uint64_t sure(Counted& each, std::size_t key) {
    const ActiveLimit& limit = each.limit;
    if (limit.calendar != nullptr) return each.log(key).since(limit.calendar->at(wall()).start.count * 1'000'000);
    return each.log(key).within(true_ns_, limit.window_seconds * second_ns);
  }
  /// What may count: in the last 61/60 of the window; of a period, what was admitted in it, and since a reboot what the
  /// machine could not know to be of the one before.
  std::uint64_t at_most(Counted& each, std::size_t key) {
    const ActiveLimit& limit = each.limit;
    const std::int64_t since_start_ns = true_ns_ - started_ns_;
    if (limit.calendar == nullptr) {
      if (limit.window_seconds > 60 && boots_ > 1)
        return each.log(key).since(0) + each.burnt;  // time off does not count
      return each.log(key).within(true_ns_, limit.window_seconds * second_ns / 60 * 61) + each.burnt;
    }
    const std::int64_t start_ns = limit.calendar->at(wall()).start.count * 1'000'000;
    const bool may_lag = boots_ > 1 && since_start_ns < 660 * second_ns;
    return each.log(key).since(may_lag ? 0 : start_ns) + each.burnt;
  }
  bool was_rebooted_recently() const { return boots_ > 1 && true_ns_ - started_ns_ < 660 * second_ns; }
  void check_admission(std::size_t key, std::uint32_t cost, const Verdict& verdict) {
    ++admitted_;
    for (std::size_t i = 0; i < counted_.size(); ++i) {
      Counted& each = counted_[i];
      const std::uint64_t before = sure(each, key);
      each.log(key).admitted(true_ns_, cost);
      bool& is_only_observed = each.is_only_observed[each.limit.per_user ? 0 : key];
      is_only_observed = is_only_observed || (each.limit.observe && is_disk_failing_);
      if (each.limit.observe) continue;
      ASSERT_LE(cost == 0 ? 0 : sure(each, key), each.limit.requests) << "admitted over limit " << i;
      ASSERT_LE(verdict.standings[i].remaining + std::min<std::uint64_t>(before + cost, each.limit.requests),
                each.limit.requests);
      ASSERT_FALSE(verdict.standings[i].refuses);
    }
  }
  void check_refusal(std::size_t key, std::uint32_t cost, const Verdict& refusal) {
    ++refused_;
    bool one_refuses = false;
    for (std::size_t i = 0; i < counted_.size(); ++i) {
      const Standing& standing = refusal.standings[i];
      if (!standing.refuses) continue;
      one_refuses = true;
      Counted& each = counted_[i];
      ASSERT_FALSE(each.limit.observe);
      const bool is_short = each.limit.calendar == nullptr && each.limit.window_seconds <= 60;
      if (is_short && was_rebooted_recently()) continue;  // of another boot nothing is known for 61 s
      ASSERT_GT(at_most(each, key) + cost, each.limit.requests) << "limit " << i << " refused too early";
    }
    ASSERT_TRUE(one_refuses);
    ASSERT_GE(refusal.retry_after_seconds, 1U);
  }
  void burst() {
    const std::uint64_t requests =
        1 + pick(chance(4) ? std::min<std::uint32_t>(counted_[0].limit.requests, 100) + 2 : 5);
    const std::size_t key = pick(2);
    for (std::uint64_t i = 0; i < requests && !testing::Test::HasFailure(); ++i) ask(key, some_cost());
  }
  void wait_and_retry() {
    fail(false);
    rounds();
    const std::size_t key = pick(2);
    const std::uint32_t cost = some_cost();
    const Verdict refusal = ask(key, cost);
    if (refusal.outcome != Outcome::limited || refusal.retry_after_seconds > 40 * 86'400) return;
    pass(seconds(refusal.retry_after_seconds));
    const bool may_lag = was_rebooted_recently() || refusal.retry_after_seconds > 300;
    if (may_lag) limiter_->keep();
    ASSERT_TRUE(ask(key, cost).admitted()) << "after the Retry-After of " << refusal.retry_after_seconds;
  }

  static constexpr std::int64_t first_boot_ns = 1'767'225'600'000'000'000;
  std::mt19937_64 random_;
  SeededRandom ids_{7};
  std::int64_t true_ns_ = first_boot_ns;
  std::int64_t started_ns_ = 0;
  int boots_ = 0;
  BootId boot_;
  std::unique_ptr<ManualClock> clock_;
  SimulatedDisk disk_;
  bool is_disk_failing_ = false;
  TemporaryLimitFile file_;
  std::unique_ptr<LocalLimiter> limiter_;
  std::array<KeyId, 2> keys_;
  const OwnerId user_ = owner_of_user("alice");
  std::vector<Counted> counted_;
  std::vector<ActiveLimit> limits_;
  std::uint64_t unspent_ = 0;
  std::uint64_t admitted_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t late_ = 0;
};

std::uint64_t number_in(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(ChargeOracleTest, EveryVerdictAgreesWithAnExactLog) {
  const bool is_campaign = number_in("LATCHKEY_LONG", 0) > 0;
  const std::uint64_t seeds = is_campaign ? 100'000 : 2'000;
  const bool replay = std::getenv("LATCHKEY_SEED") != nullptr;
  const std::uint64_t first = replay ? number_in("LATCHKEY_SEED", 0) : is_campaign ? std::random_device()() : 1;
  std::uint64_t admitted = 0;
  std::uint64_t refused = 0;
  std::uint64_t late = 0;
  for (std::uint64_t seed = first; seed < first + (replay ? 1 : seeds) && !HasFailure(); ++seed) {
    ChargeSimulation simulation(seed);
    SCOPED_TRACE("LATCHKEY_SEED=" + std::to_string(seed) + ": " + simulation.plan());
    simulation.run(30);
    admitted += simulation.admitted();
    refused += simulation.refused();
    late += simulation.late();
  }
  RecordProperty("admitted", std::to_string(admitted));
  RecordProperty("refused", std::to_string(refused));
  RecordProperty("late", std::to_string(late));
  if (replay) return;
  EXPECT_GT(admitted, 0U);
  EXPECT_GT(refused, 0U);
  EXPECT_GT(late, 0U);
}

}  // namespace
}  // namespace latchkey::limit

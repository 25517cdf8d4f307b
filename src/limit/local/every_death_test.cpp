// Death at every store of an update: what each leaves must never admit more than the limit in any 60 seconds, counting
// what the dead had already told its callers, must cost at most the one permit it was about to tell of, and must be all
// right again after 61 seconds.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "limit/local/local_limiter.hpp"
#include "limit/testing/stepped_process.hpp"
#include "limit/testing/temporary_limit_file.hpp"

namespace latchkey::limit {
namespace {

using std::chrono::milliseconds;

/// Time passes, then so many requests of the key come at once.
struct Act {
  milliseconds later;
  std::uint32_t requests;
  std::uint32_t limit;
};

struct Scenario {
  std::string name;
  std::vector<Act> before;
  Act dying;                       // the process dies somewhere in this one
  bool may_count_as_used = false;  // it changes the form: what is found half-way counts as used up
  friend std::ostream& operator<<(std::ostream& out, const Scenario& scenario) { return out << scenario.name; }
};

const Scenario scenarios[] = {
    {"FirstOfANewKey", {}, {milliseconds(0), 2, 5}},
    {"Ring", {{milliseconds(0), 7, 10}, {milliseconds(5'000), 2, 10}}, {milliseconds(100), 2, 10}},
    {"RingWrapsAndExpires",
     {{milliseconds(0), 60, 64}, {milliseconds(30'000), 4, 64}, {milliseconds(30'001), 9, 64}},
     {milliseconds(30'000), 3, 64}},
    {"IdleRing", {{milliseconds(0), 20, 20}}, {milliseconds(61'500), 3, 20}},
    {"RingToBuckets", {{milliseconds(0), 20, 64}, {milliseconds(1'500), 20, 64}}, {milliseconds(700), 2, 70}, true},
    {"Buckets", {{milliseconds(0), 80, 100}}, {milliseconds(10), 3, 100}},
    {"BucketsAdvance",
     {{milliseconds(0), 80, 100}, {milliseconds(20'000), 10, 100}, {milliseconds(30'000), 5, 100}},
     {milliseconds(15'000), 3, 100}},
    {"IdleBuckets", {{milliseconds(0), 100, 100}}, {milliseconds(70'000), 3, 100}},
    {"BucketsToRing", {{milliseconds(0), 30, 100}, {milliseconds(2'000), 10, 100}}, {milliseconds(500), 2, 50}, true},
    {"IdleRingToBuckets", {{milliseconds(0), 20, 20}}, {milliseconds(61'500), 3, 100}, true},
    {"IdleBucketsToRing", {{milliseconds(0), 100, 100}}, {milliseconds(61'500), 3, 20}, true},
};

class EveryDeath : public testing::TestWithParam<Scenario> {
 protected:
  /// A state in which the process can die, and how many admissions it had told by then.
  struct Death {
    std::vector<char> bytes;  // the front of the file; the rest is vacant
    off_t size;
    std::uint32_t told;
    bool operator==(const Death&) const = default;
  };

  EveryDeath() : fd_(::open(file_.path().c_str(), O_RDWR | O_CLOEXEC)) {}
  ~EveryDeath() override { ::close(fd_); }

  std::unique_ptr<LocalLimiter> start() { return std::make_unique<LocalLimiter>(*clock_, file_.open(*clock_)); }
  void live_before(const std::vector<Act>& acts) {
    const auto limiter = start();
    for (const Act& act : acts) {
      clock_->advance(act.later);
      for (std::uint32_t i = 0; i < act.requests; ++i) {
        if (limiter->try_admit(key_, {act.limit, 1})->admitted) log_.push_back(clock_->boot());
      }
    }
  }
  Death state(std::uint32_t told) const {
    struct stat status {};
    ::fstat(fd_, &status);
    std::vector<char> bytes(std::min<std::size_t>(static_cast<std::size_t>(status.st_size), watched));
    EXPECT_EQ(::pread(fd_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    return {std::move(bytes), status.st_size, told};
  }
  void put_back(const Death& death) const {
    ASSERT_EQ(::ftruncate(fd_, 0), 0);
    ASSERT_EQ(::pwrite(fd_, death.bytes.data(), death.bytes.size(), 0), static_cast<ssize_t>(death.bytes.size()));
    ASSERT_EQ(::ftruncate(fd_, death.size), 0);
    if (death.size == 0) return;
    timespec now{};  // no copy that was put back: what a process that died just now left
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    const std::int64_t marked_at = std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
    ASSERT_EQ(::pwrite(fd_, &marked_at, sizeof marked_at, LimitFile::marked_at_offset), ssize_t{sizeof marked_at});
  }
  std::vector<Death> deaths_in(const Act& act) {
    const SharedWithChildren<std::uint32_t> told;
    std::vector<Death> deaths;
    const auto work = [&] {
      return [&, limiter = std::shared_ptr<LocalLimiter>(start())] {
        for (std::uint32_t i = 0; i < act.requests; ++i) {
          limiter->admit_later(key_, {act.limit, 1}, [&](Decision decision) { *told += decision.admitted ? 1U : 0U; });
        }
      };
    };
    step_through(work, [&] {
      Death now = state(*told);
      if (deaths.empty() || deaths.back() != now) deaths.push_back(std::move(now));
    });
    return deaths;
  }

  /// Asks for all there is, and notes it.
  std::uint32_t drain(LocalLimiter& limiter, std::uint32_t limit) {
    std::uint32_t admitted = 0;
    for (; limiter.try_admit(key_, {limit, 1})->admitted; ++admitted) log_.push_back(clock_->boot());
    return admitted;
  }
  /// From the `first` admission on; those before may have had another limit.
  void expect_never_over(std::uint32_t limit, std::size_t first) const {
    for (std::size_t i = std::max<std::size_t>(limit, first); i < log_.size(); ++i) {
      ASSERT_GT(log_[i] - log_[i - limit], window) << "more than " << limit << " within 60 s";
    }
  }
  std::uint32_t in_use(BootTime now) const {
    return static_cast<std::uint32_t>(
        std::count_if(log_.begin(), log_.end(), [&](BootTime t) { return now - t <= milliseconds(61'000); }));
  }
  void check(const Death& death, const Scenario& scenario) {
    const std::uint32_t limit = scenario.dying.limit;
    put_back(death);
    const std::size_t before = log_.size();
    log_.insert(log_.end(), death.told, clock_->boot());
    const auto limiter = start();
    const std::uint32_t at_once = drain(*limiter, limit);
    const std::uint32_t due = limit - std::min(limit, in_use(clock_->boot()) - at_once);
    if (at_once > 0 || !scenario.may_count_as_used) {
      EXPECT_GE(at_once + 1, due) << "more than one permit was lost";
    }
    for (const int later : {1'000, 29'000, 29'999, 1, 1, 999}) {
      clock_->advance(milliseconds(later));
      drain(*limiter, limit);
    }
    expect_never_over(limit, before);
    clock_->advance(milliseconds(61'000));
    EXPECT_EQ(drain(*limiter, limit), limit) << "after 61 s all is back";
  }

  static constexpr std::size_t watched = LimitFile::header_bytes + 64 * sizeof(KeyBlock);
  std::optional<ManualClock> clock_{std::in_place};
  SeededRandom random_{5};
  const KeyId key_ = KeyId::generate(clock_->wall(), random_);
  TemporaryLimitFile file_;
  const int fd_;
  std::vector<BootTime> log_;  // of admissions, by whichever process
};

TEST_P(EveryDeath, LeavesNoMoreThanTheLimit) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "one thread, and each step of its instrumented code is several";
#endif
  const Scenario& scenario = GetParam();
  live_before(scenario.before);
  const auto log = log_;
  clock_->advance(scenario.dying.later);
  const auto deaths = deaths_in(scenario.dying);
  const BootTime moment = clock_->boot();
  ASSERT_GT(deaths.size(), 2 * scenario.dying.requests) << "too few: nothing was seen";
  RecordProperty("deaths", static_cast<int>(deaths.size()));
  for (std::size_t i = 0; i < deaths.size() && !HasFailure(); ++i) {
    SCOPED_TRACE("death " + std::to_string(i) + " of " + std::to_string(deaths.size()));
    log_ = log;
    clock_.emplace(UnixMillis{1'767'225'600'000}, moment);
    check(deaths[i], scenario);
  }
}

INSTANTIATE_TEST_SUITE_P(Local, EveryDeath, testing::ValuesIn(scenarios),
                         [](const auto& scenario) { return scenario.param.name; });

}  // namespace
}  // namespace latchkey::limit

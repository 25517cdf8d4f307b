// The promise of replica/replica_registry.hpp, by random histories: replicas that stall, die, start anew; their reads
// and reports are slow, lost or carried late, and their clocks run apart; successors that
// go on where they were killed; a registry that is lost; a manager that restarts;
// a store that is put back to an older state in place, keeps its epoch and goes on. At every step, a replica that would
// decide by its view must hold every change that has been confirmed and not been undone since.

#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <random>

#include "base/testing/temporary_directory.hpp"
#include "replica/confirmation.hpp"
#include "replica/memory/memory_registry.hpp"
#include "replica/replica_watch.hpp"
#include "replica/report_loop.hpp"

namespace latchkey::replica {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Epoch epoch{7};
constexpr milliseconds max_staleness{2000};

/// Another machine's: began elsewhere, runs up to 500 ppm off.
class RemoteClock final : public Clock {
 public:
  RemoteClock(const Clock& real, std::int64_t ppm, std::int64_t offset) : real_(real), ppm_(ppm), offset_(offset) {}
  UnixMillis wall() const override { return real_.wall(); }
  BootTime boot() const override {
    const std::int64_t nanos = real_.boot().nanos;
    return {nanos + nanos / 1'000'000 * ppm_ + offset_};
  }

 private:
  const Clock& real_;
  const std::int64_t ppm_;
  const std::int64_t offset_;
};

/// Reports wait here until they are carried on; some are lost.
class Carrier final : public ReplicaReporter {
 public:
  explicit Carrier(MemoryRegistry& registry) : registry_(registry) {}
  Result<std::uint64_t> report(const ReplicaReport& report) override {
    under_way_.push_back(report);
    return known_[report.id];
  }
  void lose_one() {
    if (!under_way_.empty()) under_way_.pop_front();
  }
  void carry_one() {
    if (under_way_.empty()) return;
    const ReplicaReport& report = under_way_.front();
    // One that came before is there already: the last word of a replica is said again until its number comes back.
    if (registry_.report(report)) known_[report.id] = report.number;
    under_way_.pop_front();
  }

 private:
  MemoryRegistry& registry_;
  std::deque<ReplicaReport> under_way_;
  std::map<ReplicaId, std::uint64_t> known_;
};

/// The store's log, with every history it ever had.
class Log {
 public:
  struct End {
    std::uint64_t seq = 0;
    std::uint64_t nonce = 0;
    bool operator==(const End&) const = default;
  };
  End end() const { return nonces_.empty() ? End{} : End{nonces_.size(), nonces_.back()}; }
  bool has(End at) const { return at.seq == 0 || (at.seq <= nonces_.size() && nonces_[at.seq - 1] == at.nonce); }
  /// Whether a history that ends at `end` has this change.
  bool leads_to(End change, End end) const {
    while (end.seq > change.seq) end = {end.seq - 1, before_.at(end.nonce)};
    return end == change;
  }
  void commit() {
    const std::uint64_t nonce = before_.size() + 1;
    before_[nonce] = end().nonce;
    nonces_.push_back(nonce);
  }
  void put_back(std::size_t length) { nonces_.resize(std::min(length, nonces_.size())); }

 private:
  std::vector<std::uint64_t> nonces_;              // of the changes there are now
  std::map<std::uint64_t, std::uint64_t> before_;  // the nonce before each there ever was
};

struct Replica {
  Replica(MemoryRegistry& registry, Random& random, const RemoteClock& its_clock, const std::filesystem::path& state)
      : clock(its_clock),
        carrier(registry),
        left(state, "boot"),
        loop(carrier, view, gate, clock, random, {.name = "r", .max_staleness = max_staleness, .lock = state.string()},
             &left) {}

  /// As access/access_check.hpp does.
  bool would_decide() const {
    const auto freshness = view.freshness();
    const BootTime now = clock.boot();
    return freshness.complete && now - freshness.current_as_of <= max_staleness &&
           gate.admits(freshness.current_as_of, now);
  }

  RemoteClock clock;
  view::View view;
  view::ServingGate gate;
  Carrier carrier;
  SuccessorState left;
  ReportLoop loop;
  std::optional<std::pair<Log::End, BootTime>> reading;  // begun, not yet applied
  std::optional<std::pair<Log::End, BootTime>> file;     // its snapshot file, which may be behind its view
};

class World {
 public:
  explicit World(std::uint64_t seed) : dice_(seed), random_(seed) {
    for (std::size_t i = 0; i < replicas_.size(); ++i) start(i);
    take_look();
  }

  void step() {
    const auto replica = [&]() -> Replica& { return *replicas_[roll(replicas_.size())]; };
    switch (const auto die = roll(100)) {
      case 0:
        start(roll(replicas_.size()));  // killed, and another in its place
        break;
      case 5:
      case 6:
        start_again(roll(replicas_.size()));
        break;
      case 1:
        take_look();  // one that was never seen cannot be missed
        registry_.lose_everything();
        lost_at_ = real_.boot();
        break;
      case 2:
        if (real_.boot() - lost_at_ > max_staleness + margin_of(max_staleness)) restart_manager();
        break;
      case 3:
        real_.advance(milliseconds(roll(3000)));
        break;
      case 4:
        put_back();
        break;
      default:
        if (die < 15) begin_read(replica());
        if (die >= 15 && die < 30) end_read(replica());
        if (die >= 30 && die < 45) replica().loop.step();
        if (die >= 45 && die < 60) replica().carrier.carry_one();
        if (die >= 60 && die < 63) replica().carrier.lose_one();
        if (die >= 63 && die < 70) commit();
        if (die >= 70 && die < 85) take_look();
        if (die >= 85) real_.advance(microseconds(roll(100'000)));
    }
  }

  /// The replica's seq where it would decide by less than has been confirmed.
  std::optional<std::uint64_t> broken() const {
    for (const auto& replica : replicas_) {
      const Log::End at = end_of(replica->view);
      if (replica->would_decide() && !log_.leads_to(confirmed_, at)) return at.seq;
    }
    return std::nullopt;
  }

  std::uint64_t confirmed() const { return confirmed_.seq; }
  std::size_t inherited() const { return inherited_; }
  std::size_t confirmations() const { return confirmations_; }
  std::size_t deciding() const {
    return static_cast<std::size_t>(
        std::count_if(replicas_.begin(), replicas_.end(), [](const auto& replica) { return replica->would_decide(); }));
  }

 private:
  std::size_t roll(std::size_t sides) { return std::uniform_int_distribution<std::size_t>(0, sides - 1)(dice_); }

  /// On another machine.
  void start(std::size_t i) {
    const auto ppm = static_cast<std::int64_t>(roll(1001)) - 500;
    const RemoteClock clock(real_, ppm, static_cast<std::int64_t>(roll(1U << 30U)));
    std::filesystem::remove(state_of(i));
    replicas_[i].reset();
    replicas_[i] = std::make_unique<Replica>(registry_, random_, clock, state_of(i));
  }
  /// Killed, and started on the same data directory with the file that is there.
  void start_again(std::size_t i) {
    const RemoteClock clock = replicas_[i]->clock;
    const auto file = replicas_[i]->file;
    const bool decided = replicas_[i]->would_decide();
    replicas_[i].reset();
    replicas_[i] = std::make_unique<Replica>(registry_, random_, clock, state_of(i));
    replicas_[i]->file = file;
    if (file) replicas_[i]->view.advance({epoch, file->first.seq}, file->second, {file->first.nonce});
    replicas_[i]->loop.step();
    inherited_ += decided && replicas_[i]->would_decide() ? 1 : 0;
  }
  std::filesystem::path state_of(std::size_t i) const { return directory_.path() / std::to_string(i); }
  static Log::End end_of(const view::View& view) {
    const auto freshness = view.freshness();
    return {freshness.position.seq.value, freshness.nonce.value};
  }
  void begin_read(Replica& replica) { replica.reading = {log_.end(), replica.clock.boot()}; }
  // As every feed does: a log that has not got the change it knows last is another history.
  void end_read(Replica& replica) {
    if (!replica.reading) return;
    const auto [end, stamp] = *replica.reading;
    replica.reading.reset();
    const Log::End at = end_of(replica.view);
    if (end.seq < at.seq || !log_.leads_to(at, end)) {
      replica.file.reset();
      return replica.view.reset();
    }
    if (roll(3) == 0) replica.file = {end, stamp};
    replica.view.advance({epoch, end.seq}, stamp, {end.nonce});
  }
  void commit() {
    log_.commit();
    waiting_.push_back({log_.end(), real_.boot()});
  }
  // What has been undone is confirmed no more, nor promised.
  void put_back() {
    log_.put_back(log_.end().seq - std::min<std::size_t>(log_.end().seq, roll(4)));
    if (!log_.has(confirmed_)) confirmed_ = log_.end();
    std::erase_if(waiting_, [&](const auto& waiting) { return !log_.has(waiting.first); });
  }
  void take_look() {
    const auto look = watch_->look().value();
    const auto history_of = [&](const ReplicaReport& report) {
      const bool ours = report.applied && log_.has({report.applied->seq.value, report.applied_nonce.value});
      return ours ? History::of_the_store : History::another;
    };
    std::erase_if(waiting_, [&](const auto& waiting) {
      const auto& [change, by] = waiting;
      const auto found = confirmation_of(look, {{{epoch, change.seq}, change.nonce}, by}, history_of);
      if (found.enforcement != Enforcement::confirmed) return false;
      if (change.seq > confirmed_.seq) confirmed_ = change;
      ++confirmations_;
      return true;
    });
  }
  // The one that waited is answered with "pending". Its first look is taken before it serves.
  void restart_manager() {
    waiting_.clear();
    watch_ = std::make_unique<ReplicaWatch>(registry_, real_);
    take_look();
  }

  std::mt19937_64 dice_;
  SeededRandom random_;
  ManualClock real_;
  MemoryRegistry registry_;
  TemporaryDirectory directory_;
  std::unique_ptr<ReplicaWatch> watch_ = std::make_unique<ReplicaWatch>(registry_, real_);
  std::array<std::unique_ptr<Replica>, 3> replicas_;
  std::vector<std::pair<Log::End, BootTime>> waiting_;
  BootTime lost_at_ = real_.boot();
  Log log_;
  Log::End confirmed_;  // the last
  std::size_t confirmations_ = 0;
  std::size_t inherited_ = 0;
};

TEST(Promise, HoldsInRandomHistories) {
  const std::uint64_t seeds = std::getenv("LATCHKEY_LONG") != nullptr ? 1000 : 12;
  std::size_t confirmations = 0;
  std::size_t deciding = 0;
  std::size_t inherited = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    World world(seed);
    for (int i = 0; i < 5000; ++i) {
      world.step();
      const auto broken = world.broken();
      ASSERT_FALSE(broken) << "seed " << seed << ", step " << i << ": decides by " << *broken << ", confirmed is "
                           << world.confirmed();
      deciding += world.deciding();
    }
    confirmations += world.confirmations();
    inherited += world.inherited();
  }
  // A world in which nothing is confirmed or decided keeps every promise.
  EXPECT_GT(confirmations, seeds * 20);
  EXPECT_GT(deciding, seeds * 1000);
  EXPECT_GT(inherited, seeds);
  std::printf("%zu confirmations, %zu decisions, %zu successors that decide at once\n", confirmations, deciding,
              inherited);
}

}  // namespace
}  // namespace latchkey::replica

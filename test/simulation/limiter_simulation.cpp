#include "limiter_simulation.hpp"

#include <fmt/format.h>

#include <deque>

namespace latchkey::simulation {

using limit::Decision;
using limit::Limit;
using limit::lease::Call;
using limit::lease::Caller;
using limit::lease::LeaseBook;
using limit::lease::LeaseBookConfig;
using limit::lease::Reply;
using limit::lease::StoreWatch;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// One process; `life` tells its incarnations apart.
struct LimiterSimulation::Replica {
  std::uint64_t life = 0;
  std::optional<NodeClock> clock;
  std::unique_ptr<LeaseBook> book;
  StoreWatch watch;
  Caller caller;
  std::map<std::uint64_t, Call> under_way;  // by number
  bool cut = false;
  std::map<const Key*, std::size_t> known;  // of the keys' limits, as its view has them
};

struct LimiterSimulation::Key {
  KeyId id;
  std::vector<Limit> limits;  // in the order in which they were in force
  double rate = 1;            // requests a second over all replicas, now
  Time rate_until{};
  std::deque<Time> admitted;
  std::size_t named = 0;  // the latest limit that a call executed at the store has named
  Time named_at{};        // when it was named first
  Time last_named{};      // and last
};

Weather Weather::of(std::uint64_t seed) {
  Weather weather;
  std::mt19937_64 random(seed);
  switch (seed % 4) {
    case 0:  // a calm network and clocks that drift a lot: the arithmetic of slots, to a millisecond
      weather.drift = 0.2;
      weather.network.usual = microseconds(200);
      weather.judged = milliseconds(60'498);  // the store counts whole milliseconds
      return weather;
    case 1:  // one replica and no fault: nothing is refused without need
      weather.replicas = 1;
      weather.refusals_judged = true;
      return weather;
    default:
      break;
  }
  // Some of all faults: together they burn many permits, which hides what one of them would have minted.
  const auto at_times = [&](auto fault) { return random() % 3 == 0 ? fault : decltype(fault){}; };
  weather.network.usual = milliseconds(5);
  weather.network.longest = seconds(2);
  weather.network.slow = at_times(0.02);
  weather.network.lost = at_times(0.02);
  weather.network.repeated = random() % 2 == 0 ? 0.2 : 0;
  weather.stall = at_times(Duration(seconds(15)));
  weather.crash = at_times(Duration(seconds(40)));
  weather.cut = at_times(Duration(seconds(8)));
  weather.limit_change = at_times(Duration(seconds(25)));
  weather.restore = at_times(Duration(seconds(40)));
  weather.store_step = at_times(Duration(seconds(2)));
  weather.unmet_step = at_times(Duration(seconds(60)));
  weather.store_loss = at_times(Duration(seconds(90)));
  weather.store_forgets = at_times(Duration(seconds(90)));
  return weather;
}

LimiterSimulation::LimiterSimulation(std::uint64_t seed, const Weather& weather, Bug bug)
    : weather_(weather),
      bug_(bug),
      world_(seed),
      network_(world_, weather.network),
      store_(world_, weather.store_step.count() + weather.unmet_step.count() > 0 ? world_.real(0.9998, 1.0002) : 1,
             bug) {
  static constexpr std::uint32_t limits[] = {1, 5, 30, 60, 100, 200, 200};
  SeededRandom ids(seed);
  for (int i = 0; i < 2; ++i) {
    keys_.push_back(std::make_unique<Key>());
    Key& key = *keys_.back();
    key.id = KeyId::generate({1'767'225'600'000}, ids);
    key.limits = {{.requests_per_minute = limits[world_.pick(std::size(limits))], .version = Version{1}, .epoch = 1}};
    world_.after(world_.duration({}, seconds(1)), [this, &key] { request_again(key); });
  }
  for (std::size_t i = 0; i < weather.replicas; ++i) {
    replicas_.push_back(std::make_unique<Replica>());
    start(*replicas_.back());
  }
  begin_faults();
}

LimiterSimulation::~LimiterSimulation() = default;

Outcome LimiterSimulation::run() {
  const auto over = [this] { return outcome_.kind != Outcome::Kind::none; };
  world_.run_until(weather_.lasts, over);
  quiet_down();
  world_.run_until(world_.now() + seconds(140), over);
  if (!over()) check_liveness();
  world_.run_until(world_.now() + seconds(10), over);
  for (const auto& replica : replicas_) outcome_.calls += replica->book->stats().calls;
  return outcome_;
}

// --- Faults ---------------------------------------------------------------------------------------------------------

void LimiterSimulation::start(Replica& replica) {
  ++replica.life;
  const double rate = world_.real(1 / (1 + weather_.drift), 1 + weather_.drift);
  replica.clock.emplace(world_, rate, BootTime{static_cast<std::int64_t>(world_.pick(1'000'000'000'000))});
  LeaseBookConfig config;
  config.clock_drift = bug_ == Bug::drift_ignored ? 0 : weather_.drift;
  replica.book = std::make_unique<LeaseBook>(*replica.clock, config);
  replica.watch = StoreWatch(weather_.drift);
  replica.caller = {.replica = 1 + world_.pick(1U << 30U), .run = store_.run()};
  replica.under_way.clear();
  const std::uint64_t life = replica.life;
  world_.after(world_.duration({}, milliseconds(50)), [this, &replica, life] { tick(replica, life); });
  world_.after(world_.duration({}, milliseconds(200)), [this, &replica, life] { announce(replica, life); });
}

void LimiterSimulation::every(Duration mean, std::function<void()> fault) {
  if (mean.count() == 0 || quiet_) return;
  world_.after(world_.duration({}, 2 * mean), [this, mean, fault] {
    if (quiet_) return;
    ++outcome_.faults;
    fault();
    every(mean, fault);
  });
}

void LimiterSimulation::begin_faults() {
  every(weather_.stall,
        [this] { any_replica().clock->stall_before_next_read(world_.duration(milliseconds(100), seconds(70))); });
  every(weather_.crash, [this] { start(any_replica()); });
  every(weather_.cut, [this] {
    Replica& cut = any_replica();
    cut.cut = true;
    world_.after(world_.duration(milliseconds(100), seconds(world_.chance(0.2) ? 70 : 5)),
                 [this, &cut] { reconnect(cut); });
  });
  every(weather_.store_step, [this] {
    const Duration step = world_.chance(0.5) ? world_.duration(milliseconds(300), seconds(90))
                                             : world_.duration(seconds(90), std::chrono::hours(2));
    const int there = world_.chance(0.3) ? 1 : -1;
    store_.step_clock(there * step);
    if (world_.chance(0.7)) {
      world_.after(world_.duration({}, world_.chance(0.5) ? milliseconds(300) : seconds(4)),
                   [this, there, step] { store_.step_clock(-there * step); });
    }
  });
  every(weather_.unmet_step, [this] { step_unmet(); });
  every(weather_.store_loss, [this] {
    if (world_.chance(0.5)) return store_.restart_empty();
    store_.fail_over(world_.duration({}, seconds(20)) - seconds(10));
  });
  every(weather_.store_forgets, [this] { store_.forget_some(); });
  if (weather_.store_loss.count() + weather_.store_forgets.count() > 0) {
    every(milliseconds(500), [this] { store_.replicate(); });
  }
  every(weather_.limit_change, [this] { change_limit(any_key()); });
  every(weather_.restore, [this] { restore(any_key()); });
}

/// While no call comes through, the store's clock goes back by less than that lasts; soon after one does, there again.
void LimiterSimulation::step_unmet() {
  const Duration silence = world_.duration(seconds(1), seconds(70));
  const Duration step = world_.duration(milliseconds(300), silence);
  for (const auto& replica : replicas_) {
    replica->cut = true;
    world_.after(silence + world_.duration({}, seconds(3)), [this, &cut = *replica] { reconnect(cut); });
  }
  world_.after(silence, [this, step] { store_.step_clock(-step); });
  world_.after(silence + world_.duration({}, seconds(4)), [this, step] { store_.step_clock(step); });
}

void LimiterSimulation::change_limit(Key& key) {
  Limit limit = key.limits.back();
  const std::uint32_t before = limit.requests_per_minute;
  limit.requests_per_minute = world_.chance(0.6) ? std::max(1U, before / 3) : std::min(400U, before * 2);
  ++limit.version.value;
  key.limits.push_back(limit);
  tell_views(key);
}

/// The database comes back as it was once: with an earlier limit, whose version counts from lower, in another epoch.
void LimiterSimulation::restore(Key& key) {
  Limit limit = key.limits[world_.pick(key.limits.size())];
  limit.epoch = {key.limits.back().epoch.value + 1};
  key.limits.push_back(limit);
  tell_views(key);
}

/// A view hears of it soon, or late.
void LimiterSimulation::tell_views(Key& key) {
  const std::size_t latest = key.limits.size() - 1;
  for (const auto& replica : replicas_) {
    world_.after(world_.duration({}, world_.chance(0.3) ? seconds(60) : milliseconds(100)),
                 [&known = replica->known[&key], latest] { known = std::max(known, latest); });
  }
}

void LimiterSimulation::quiet_down() {
  quiet_ = true;
  network_.heal();
  for (const auto& replica : replicas_) {
    reconnect(*replica);
    replica->clock->calm();
    for (const auto& key : keys_) replica->known[key.get()] = key->limits.size() - 1;
  }
}

/// Nobody has asked for more than a window, so all permits are free. Whoever keeps asking gets each of them.
void LimiterSimulation::check_liveness() {
  for (const auto& key : keys_) {
    const std::size_t before = key->admitted.size();
    const std::uint32_t most = key->limits.back().requests_per_minute;
    const int asked = static_cast<int>(most) + 400;
    for (int i = 0; i < asked; ++i) {
      world_.after(seconds(8) * i / asked, [this, &key = *key] { request(any_replica(), key); });
    }
    world_.after(seconds(9), [this, &key = *key, before, most] {
      const std::size_t got = key.admitted.size() - before;
      if (got == most) return;
      violated(Outcome::Kind::stuck, fmt::format("of {} free permits {} were given", most, got));
    });
  }
}

void LimiterSimulation::violated(Outcome::Kind kind, std::string how) {
  if (outcome_.kind != Outcome::Kind::none) return;
  outcome_.kind = kind;
  outcome_.violation = std::move(how);
}

// --- Requests and judgement -----------------------------------------------------------------------------------------

/// The requests of one slot: anywhere in it, or around its end, where leases end and permits return.
void LimiterSimulation::request_again(Key& key) {
  if (quiet_) return;
  if (world_.now() >= key.rate_until) {  // from idle to far too much, around what the limit allows
    static constexpr double times[] = {0.05, 0.5, 0.9, 1.2, 3, 40};
    key.rate = times[world_.pick(std::size(times))] * key.limits.back().requests_per_minute / 60;
    key.rate_until = world_.now() + world_.duration(seconds(2), seconds(30));
  }
  const Duration slot = milliseconds(limit::lease::slot_ms);
  const Time end = (world_.now() / slot + 1) * slot;
  for (double due = world_.real(0, key.rate); due > world_.real(0, 1); --due) {
    const Time at = world_.chance(0.6) ? end + world_.duration({}, milliseconds(80)) - milliseconds(20)
                                       : world_.now() + world_.duration({}, slot);
    world_.at(at, [this, &key] { quiet_ ? void() : request(any_replica(), key); });
  }
  if (world_.chance(0.01)) {
    for (std::uint64_t i = world_.pick(key.limits.back().requests_per_minute + 5); i > 0; --i)
      request(any_replica(), key);
  }
  world_.at(end + microseconds(1), [this, &key] { request_again(key); });
}

void LimiterSimulation::request(Replica& replica, Key& key) {
  const Limit limit = key.limits[replica.known[&key]];
  const Time asked = world_.now();
  NodeClock& clock = *replica.clock;
  if (bug_ == Bug::clock_read_before_taking) {  // read, stand still, take
    const Duration stall = quiet_ || !world_.chance(0.003) ? Duration{} : world_.duration({}, seconds(70));
    clock.freeze(clock.boot());
    world_.stall(stall);
  }
  const auto decision = replica.book->try_admit(key.id, limit);
  clock.thaw();
  if (decision) return decided(key, asked, *decision);
  LeaseBook::DecidedList at_once;
  replica.book->admit_later(
      key.id, limit, [this, &key, asked](Decision later) { decided(key, asked, later); }, at_once);
  tell(at_once);
  make_calls(replica);
}

void LimiterSimulation::tell(LeaseBook::DecidedList& list) {
  LeaseBook::DecidedList now;
  now.swap(list);
  for (auto& each : now) each.done(each.decision);
}

void LimiterSimulation::decided(Key& key, Time asked, const Decision& decision) {
  if (decision.unavailable) {
    ++outcome_.unavailable;
  } else if (decision.admitted) {
    judge_admission(key);
  } else {
    judge_refusal(key, asked);
  }
}

void LimiterSimulation::judge_admission(Key& key) {
  ++outcome_.admitted;
  const Time now = world_.now();
  key.admitted.push_back(now);
  const auto first = std::partition_point(key.admitted.begin(), key.admitted.end(),
                                          [&](Time each) { return now - each > weather_.judged; });
  const auto within = static_cast<std::uint64_t>(key.admitted.end() - first);
  // A lease lives for a slot; a version that nobody names for a window is forgotten, and so it is by a store that is.
  const bool settled = now - key.named_at > milliseconds(700) && now - key.last_named < seconds(55);
  std::uint32_t most = key.limits[key.named].requests_per_minute;
  if (!settled) {
    for (const Limit& limit : key.limits) most = std::max(most, limit.requests_per_minute);
  }
  if (within <= most) return;
  violated(Outcome::Kind::over_the_limit, fmt::format("{} admitted within {} ms at a limit of {}, at {} ms", within,
                                                      weather_.judged / milliseconds(1), most, now / milliseconds(1)));
}

void LimiterSimulation::judge_refusal(Key& key, Time asked) {
  ++outcome_.refused;
  if (!weather_.refusals_judged) return;
  const auto first = std::partition_point(key.admitted.begin(), key.admitted.end(),
                                          [&](Time each) { return asked - each > seconds(61); });
  const auto within = static_cast<std::uint64_t>(key.admitted.end() - first);
  const std::uint32_t most = key.limits.back().requests_per_minute;
  if (within >= most) return;
  violated(Outcome::Kind::refused_without_need,
           fmt::format("refused with {} admitted in the last 61 s at a limit of {}, at {} ms", within, most,
                       world_.now() / milliseconds(1)));
}

// --- A replica and its store ----------------------------------------------------------------------------------------

void LimiterSimulation::tick(Replica& replica, std::uint64_t life) {
  if (replica.life != life) return;
  replica.book->tick();
  make_calls(replica);
  world_.after(milliseconds(20), [this, &replica, life] { tick(replica, life); });
}

void LimiterSimulation::announce(Replica& replica, std::uint64_t life) {
  if (replica.life != life) return;
  if (world_.chance(0.2)) meet(replica);
  const BootTime sent = replica.clock->boot();
  Caller caller = replica.caller;
  replica.watch.vouch(caller, sent);
  if (!replica.cut) {
    network_.send([this, &replica, life, caller, sent] {
      const auto reply = store_.announce(caller);
      if (replica.cut) return;
      network_.send([this, &replica, life, caller, sent, reply] {
        if (replica.life != life || replica.cut) return;
        if (!reply) return met_another_run(replica);
        if (caller.run != replica.caller.run) return;
        replica.watch.saw(*reply, sent, replica.clock->boot());
        replica.book->store_came_up();
      });
    });
  }
  world_.after(milliseconds(200), [this, &replica, life] { announce(replica, life); });
}

void LimiterSimulation::make_calls(Replica& replica) {
  std::vector<Call> calls;
  const auto share = static_cast<std::uint32_t>(world_.chance(0.9) ? replicas_.size() : 1);
  replica.book->take_calls(calls, 100, share);
  for (const Call& each : calls) call(replica, each);
}

void LimiterSimulation::call(Replica& replica, const Call& call) {
  const std::uint64_t life = replica.life;
  replica.under_way[call.number] = call;
  const BootTime sent = replica.clock->boot();
  Caller caller = replica.caller;
  replica.watch.vouch(caller, sent);
  if (!replica.cut) {
    network_.send([this, &replica, life, caller, call, sent] { executed(replica, life, caller, call, sent); });
  }
  world_.after(milliseconds(250), [this, &replica, life, call] {
    if (replica.life == life && replica.under_way.contains(call.number)) timed_out(replica, call);
  });
}

void LimiterSimulation::executed(Replica& replica, std::uint64_t life, const Caller& caller, const Call& call,
                                 BootTime sent) {
  const auto reply = store_.answer(caller, call);
  if (reply && call.wanted > 0) note_named(call);
  if (replica.cut) return;
  network_.send([this, &replica, life, caller, call, sent, reply] {
    if (replica.life != life || replica.cut) return;
    if (!reply) return met_another_run(replica);
    if (caller.run == replica.caller.run) {
      replica.watch.saw(*reply, sent, replica.clock->boot());
    }
    replica.under_way.erase(call.number);
    replica.book->store_came_up();
    LeaseBook::DecidedList list;
    replica.book->replied(call, *reply, list);
    tell(list);
    make_calls(replica);
  });
}

void LimiterSimulation::timed_out(Replica& replica, const Call& call) {
  replica.under_way.erase(call.number);
  meet(replica);
  LeaseBook::DecidedList list;
  replica.book->lost(call, list);
  if (world_.chance(0.5)) replica.book->store_went_down(list);
  tell(list);
}

/// As it does once a second and with each new connection.
void LimiterSimulation::meet(Replica& replica) {
  if (replica.cut || replica.caller.run == store_.run()) return;
  replica.caller.run = store_.run();
  replica.watch.forget();
}

/// What was cut for long has no connection left.
void LimiterSimulation::reconnect(Replica& replica) {
  replica.cut = false;
  meet(replica);
}

/// The connection broke; the next one leads to a store that may have forgotten.
void LimiterSimulation::met_another_run(Replica& replica) {
  if (replica.caller.run == store_.run()) return;
  meet(replica);
  const auto lost = std::exchange(replica.under_way, {});
  LeaseBook::DecidedList list;
  for (const auto& [number, call] : lost) replica.book->lost(call, list);
  tell(list);
}

void LimiterSimulation::note_named(const Call& call) {
  Key& key = key_of(call.key);
  const auto is_it = [&](const Limit& limit) {
    return limit.epoch == call.limit.epoch && limit.version == call.limit.version;
  };
  const auto at = std::find_if(key.limits.begin(), key.limits.end(), is_it);
  const auto named = static_cast<std::size_t>(at - key.limits.begin());
  if (named > key.named) {
    key.named = named;
    key.named_at = world_.now();
  }
  if (named == key.named) key.last_named = world_.now();
}

LimiterSimulation::Replica& LimiterSimulation::any_replica() { return *replicas_[world_.pick(replicas_.size())]; }

LimiterSimulation::Key& LimiterSimulation::any_key() { return *keys_[world_.pick(keys_.size())]; }

LimiterSimulation::Key& LimiterSimulation::key_of(const KeyId& id) {
  return **std::find_if(keys_.begin(), keys_.end(), [&](const auto& key) { return key->id == id; });
}

}  // namespace latchkey::simulation

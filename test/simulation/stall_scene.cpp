#include "stall_scene.hpp"

namespace latchkey::simulation {

using limit::lease::Call;
using limit::lease::Caller;
using limit::lease::LeaseBook;
using limit::lease::Reply;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

constexpr Duration longest_trip = milliseconds(250);  // as in RedisPermitStoreConfig
constexpr Duration a_request_each = milliseconds(10);
constexpr Duration at_work_each = milliseconds(10);
constexpr Duration announced_each = milliseconds(200);

}  // namespace

StallScene::StallScene(std::uint64_t seed, const Stall& stall, std::uint32_t requests_per_minute)
    : stall_(stall),
      limit_{.requests_per_minute = requests_per_minute, .version = Version{1}},
      world_(seed),
      store_clock_(world_, 1, {}) {
  SeededRandom ids(seed);
  key_ = KeyId::generate({1'767'225'600'000}, ids);
  store_.history = limit::lease::StoreClock::History::none;
  for (std::uint64_t name = 1; name <= 3; ++name) {
    const double rate = world_.real(1 - limit::lease::drift, 1 + limit::lease::drift);
    const BootTime boot{static_cast<std::int64_t>(world_.pick(1'000'000'000'000))};
    replicas_.push_back(std::make_unique<Replica>(NodeClock(world_, rate, boot)));
    Replica& replica = *replicas_.back();
    replica.caller.replica = name;
    next(replica, hop(), [this, &replica] { announce(replica); });
    next(replica, world_.duration({}, at_work_each), [this, &replica] { work(replica); });
    next(replica, milliseconds(50) + world_.duration({}, a_request_each), [this, &replica] { request(replica); });
  }
}

std::vector<Time> StallScene::run(Duration lasts) {
  world_.run_until(lasts, [] { return false; });
  return admitted_;
}

void StallScene::next(Replica& replica, Duration delay, std::function<void()> what) {
  world_.after(delay, [this, &replica, what = std::move(what)] {
    if (!stands_still(replica)) return what();
    next(replica, stall_.begins + stall_.lasts - world_.now(), what);
  });
}

void StallScene::to_store(std::function<void()> what) {
  world_.after(hop(), [this, what = std::move(what)] {
    if (stall_.what != Stalled::store || !is_on()) return what();
    world_.at(stall_.begins + stall_.lasts, what);
  });
}

bool StallScene::stands_still(const Replica& replica) const {
  const bool meant =
      stall_.what == Stalled::all_replicas || (stall_.what == Stalled::one_replica && &replica == replicas_[0].get());
  return meant && is_on();
}

/// A busy machine lets each message wait, around what is waited for it.
Duration StallScene::hop() {
  if (stall_.what == Stalled::messages && is_on()) return world_.duration(milliseconds(50), milliseconds(400));
  return world_.duration(microseconds(50), milliseconds(1));
}

// --- A replica ------------------------------------------------------------------------------------------------------

void StallScene::request(Replica& replica) {
  next(replica, a_request_each, [this, &replica] { request(replica); });
  const auto decided = [this](const limit::Decision& decision) {
    if (decision.admitted) admitted_.push_back(world_.now());
  };
  if (const auto decision = replica.book.try_admit(key_, limit_)) return decided(*decision);
  LeaseBook::DecidedList list;
  replica.book.admit_later(key_, limit_, decided, list);
  tell(list);
  ask(replica);
}

void StallScene::work(Replica& replica) {
  next(replica, at_work_each, [this, &replica] { work(replica); });
  replica.book.tick();
  ask(replica);
}

void StallScene::announce(Replica& replica) {
  if (replica.waits) return next(replica, milliseconds(1), [this, &replica] { announce(replica); });
  next(replica, announced_each, [this, &replica] { announce(replica); });
  trip<Reply>(
      replica, [this](const Caller& caller) { return store_.announce(caller, store_clock_.wall().count); },
      [&replica](const Reply& reply, BootTime sent) {
        replica.watch.saw(reply, sent, replica.clock.boot());
        replica.book.store_came_up();
      },
      [this, &replica] { went_down(replica); });
}

void StallScene::ask(Replica& replica) {
  if (replica.waits || !replica.book.has_calls()) return;
  std::vector<Call> calls;
  replica.book.take_calls(calls, 100, static_cast<std::uint32_t>(replicas_.size()));
  trip<std::vector<Reply>>(
      replica,
      [this, calls](const Caller& caller) {
        std::vector<Reply> replies;
        for (const Call& call : calls) replies.push_back(store_.answer(caller, call, store_clock_.wall().count));
        return replies;
      },
      [this, &replica, calls](const std::vector<Reply>& replies, BootTime sent) {
        LeaseBook::DecidedList list;
        for (std::size_t i = 0; i < calls.size(); ++i) {
          replica.watch.saw(replies[i], sent, replica.clock.boot());
          replica.book.replied(calls[i], replies[i], list);
        }
        tell(list);
        ask(replica);
      },
      [this, &replica, calls] {
        LeaseBook::DecidedList list;
        for (const Call& call : calls) replica.book.lost(call, list);
        tell(list);
        went_down(replica);
      });
}

void StallScene::went_down(Replica& replica) {
  LeaseBook::DecidedList list;
  replica.book.store_went_down(list);
  tell(list);
}

void StallScene::tell(LeaseBook::DecidedList& list) {
  LeaseBook::DecidedList now;
  now.swap(list);
  for (auto& each : now) each.done(each.decision);
}

template <class Answer>
void StallScene::trip(Replica& replica, std::function<Answer(const Caller&)> serve,
                      std::function<void(const Answer&, BootTime)> answered, std::function<void()> lost) {
  replica.waits = true;
  const std::uint64_t number = ++replica.trips;
  const auto still_waits = [&replica, number] { return replica.waits && replica.trips == number; };
  const BootTime sent = replica.clock.boot();
  Caller caller = replica.caller;
  replica.watch.vouch(caller, sent);
  // The replica may stand still between reading its clock and sending.
  next(replica, microseconds(20), [=, this, &replica] {
    to_store([=, this, &replica] {
      world_.after(hop(), [=, this, &replica, answer = serve(caller)] {
        next(replica, {}, [=, &replica] {
          if (!still_waits()) return;
          replica.waits = false;
          answered(answer, sent);
        });
      });
    });
  });
  next(replica, longest_trip, [=, &replica] {
    if (!still_waits()) return;
    replica.waits = false;
    lost();
  });
}

}  // namespace latchkey::simulation

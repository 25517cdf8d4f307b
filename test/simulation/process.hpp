#pragma once

// A thread of some machine: production code on a fiber, which sleeps and asks over the network in virtual time. It may
// be paused (SIGSTOP) and killed (kill -9) wherever it waits.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "fiber.hpp"
#include "network.hpp"

namespace latchkey::simulation {

class Process {
 public:
  Process(World& world, std::function<void(Process&)> body)
      : world_(world), fiber_([this, body = std::move(body)] { run(body); }) {
    wake_at(world.now(), waits_);
  }
  ~Process() { kill(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // --- inside
  /// So long, or until wake().
  void sleep(Duration duration) {
    wake_at(world_.now() + duration, waits_ + 1);
    wait();
  }
  /// What `serve` gives at the other end; nullopt when no answer came within `timeout`, whether it was served or not.
  /// `serve` gives nullopt where nobody answers. `cut`: nothing passes between the two, now or then.
  template <class Reply>
  std::optional<Reply> ask(Network& network, Duration timeout, const std::function<bool()>& cut,
                           std::function<std::optional<Reply>()> serve) {
    struct Call {
      std::optional<Reply> reply;
      Process* waiting;
    };
    const auto call = std::make_shared<Call>(Call{std::nullopt, this});
    const Forget<Call> forget{*call};
    if (!cut()) {
      network.send([&network, call, cut, serve = std::move(serve)] {
        auto reply = serve();
        if (!reply || cut()) return;
        network.send([call, cut, reply = std::move(*reply)] {
          if (call->waiting == nullptr || cut()) return;
          call->reply = reply;
          call->waiting->wake();
        });
      });
    }
    const Time end = world_.now() + timeout;
    while (!call->reply && world_.now() < end) sleep(end - world_.now());
    return std::move(call->reply);
  }

  // --- outside
  void wake() { resume_if(waits_); }
  /// It does nothing for so long.
  void pause(Duration duration) { paused_until_ = world_.now() + duration; }
  /// Nothing of it runs again but destructors.
  void kill() {
    if (fiber_.ended()) return;
    killed_ = true;
    fiber_.resume();
  }

 private:
  struct Killed {};
  template <class Call>
  struct Forget {
    Call& call;
    ~Forget() { call.waiting = nullptr; }
  };

  void run(const std::function<void(Process&)>& body) {
    try {
      if (!killed_) body(*this);
    } catch (const Killed&) {  // NOLINT: as a process ends, without a word
    }
  }
  void wake_at(Time time, std::uint64_t number) {
    world_.at(time, [alive = std::weak_ptr(alive_), this, number] {
      if (!alive.expired()) resume_if(number);
    });
  }
  void wait() {
    ++waits_;
    fiber_.yield();
    if (killed_) throw Killed{};
  }
  void resume_if(std::uint64_t number) {
    if (number != waits_ || fiber_.ended()) return;
    if (world_.now() >= paused_until_) return fiber_.resume();
    wake_at(paused_until_, number);
  }

  World& world_;
  bool killed_ = false;
  std::uint64_t waits_ = 0;  // counts them: a wake-up is for one
  Time paused_until_{};
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  Fiber fiber_;
};

}  // namespace latchkey::simulation

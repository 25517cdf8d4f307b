#pragma once

// A stack of its own for code that waits: production code that calls and blocks runs in virtual time unchanged.
// (Boost.Context as Debian builds it does not tell the sanitizers of its switches.)

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <memory>

namespace latchkey::simulation {

/// One thread. `body` runs to its end or is unwound; it must not throw.
class Fiber {
 public:
  explicit Fiber(std::function<void()> body);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// From outside: runs the body until it yields or ends.
  void resume();
  /// From inside: back to who resumed it.
  void yield();
  bool ended() const { return ended_; }

 private:
  static void enter(unsigned high, unsigned low);
  void run();
  void switch_out();

  static constexpr std::size_t stack_bytes = 256U << 10U;

  std::function<void()> body_;
  std::unique_ptr<std::byte[]> stack_;
  ucontext_t inside_{};
  ucontext_t outside_{};
  bool ended_ = false;
  // For the sanitizers.
  void* fake_inside_ = nullptr;
  void* fake_outside_ = nullptr;
  const void* outside_bottom_ = nullptr;
  std::size_t outside_bytes_ = 0;
  void* tsan_inside_ = nullptr;
  void* tsan_outside_ = nullptr;
};

}  // namespace latchkey::simulation

#include "fiber.hpp"

#include <cstdint>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace latchkey::simulation {
namespace {

#if defined(__SANITIZE_ADDRESS__)
void leaving(void** fake, const void* bottom, std::size_t bytes) {
  __sanitizer_start_switch_fiber(fake, bottom, bytes);
}
void arrived(void* fake, const void** bottom, std::size_t* bytes) {
  __sanitizer_finish_switch_fiber(fake, bottom, bytes);
}
#else
void leaving(void**, const void*, std::size_t) {}
void arrived(void*, const void**, std::size_t*) {}
#endif

#if defined(__SANITIZE_THREAD__)
void* tsan_new() { return __tsan_create_fiber(0); }
void tsan_drop(void* fiber) { __tsan_destroy_fiber(fiber); }
void* tsan_current() { return __tsan_get_current_fiber(); }
void tsan_switch(void* fiber) { __tsan_switch_to_fiber(fiber, 0); }
#else
void* tsan_new() { return nullptr; }
void tsan_drop(void*) {}
void* tsan_current() { return nullptr; }
void tsan_switch(void*) {}
#endif

}  // namespace

Fiber::Fiber(std::function<void()> body)
    : body_(std::move(body)),
      stack_(std::make_unique_for_overwrite<std::byte[]>(stack_bytes)),
      tsan_inside_(tsan_new()) {
  ::getcontext(&inside_);
  inside_.uc_stack.ss_sp = stack_.get();
  inside_.uc_stack.ss_size = stack_bytes;
  inside_.uc_link = nullptr;
  const auto self = reinterpret_cast<std::uintptr_t>(this);
  ::makecontext(&inside_, reinterpret_cast<void (*)()>(&Fiber::enter), 2, static_cast<unsigned>(self >> 32U),
                static_cast<unsigned>(self));
}

Fiber::~Fiber() { tsan_drop(tsan_inside_); }

void Fiber::enter(unsigned high, unsigned low) { reinterpret_cast<Fiber*>(std::uintptr_t{high} << 32U | low)->run(); }

void Fiber::run() {
  arrived(nullptr, &outside_bottom_, &outside_bytes_);
  body_();
  ended_ = true;
  switch_out();
}

void Fiber::resume() {
  tsan_outside_ = tsan_current();
  leaving(&fake_outside_, stack_.get(), stack_bytes);
  tsan_switch(tsan_inside_);
  ::swapcontext(&outside_, &inside_);
  arrived(fake_outside_, nullptr, nullptr);
}

void Fiber::yield() {
  switch_out();
  arrived(fake_inside_, &outside_bottom_, &outside_bytes_);
}

void Fiber::switch_out() {
  leaving(ended_ ? nullptr : &fake_inside_, outside_bottom_, outside_bytes_);
  tsan_switch(tsan_outside_);
  ::swapcontext(&inside_, &outside_);
}

}  // namespace latchkey::simulation

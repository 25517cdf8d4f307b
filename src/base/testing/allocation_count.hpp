#pragma once

// Counts the allocations of chosen threads, for tests that hold a path to none. It replaces the program's operator new:
// include it in one file of a test program. Sanitisers bring their own, so only the release build can count.

#include <atomic>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LATCHKEY_COUNTS_ALLOCATIONS 0
#else
#define LATCHKEY_COUNTS_ALLOCATIONS 1
#endif

namespace latchkey::allocation_count {

inline thread_local bool counted = false;  // whether this thread's allocations count
inline std::atomic<long> allocations{0};

}  // namespace latchkey::allocation_count

#if LATCHKEY_COUNTS_ALLOCATIONS
void* operator new(std::size_t size) {
  if (latchkey::allocation_count::counted) ++latchkey::allocation_count::allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

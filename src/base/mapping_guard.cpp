#include "base/mapping_guard.hpp"

#include <sys/mman.h>

#include <array>
#include <stdexcept>

namespace latchkey {
namespace {

std::array<std::atomic<MappingGuard*>, MappingGuard::most> guards{};

}  // namespace

MappingGuard::MappingGuard(void* begin, std::size_t bytes) : begin_(static_cast<std::byte*>(begin)), bytes_(bytes) {
  for (auto& place : guards) {
    MappingGuard* vacant = nullptr;
    if (place.compare_exchange_strong(vacant, this)) return;
  }
  throw std::length_error("too many guarded mappings");
}

MappingGuard::~MappingGuard() {
  for (auto& place : guards) {
    MappingGuard* self = this;
    place.compare_exchange_strong(self, nullptr);
  }
}

// In a signal's handler: system calls and lock-free atomics only. Two threads may come at once: the second puts zeros
// in the place of the first one's, in which nothing stands that is believed.
bool MappingGuard::mend(const void* address) {
  const auto* const touched = static_cast<const std::byte*>(address);
  for (auto& place : guards) {
    MappingGuard* const guard = place.load();
    if (guard == nullptr || touched < guard->begin_ || touched >= guard->begin_ + guard->bytes_) continue;
    guard->was_cut_.store(true);
    constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    return ::mmap(guard->begin_, guard->bytes_, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED;
  }
  return false;
}

}  // namespace latchkey

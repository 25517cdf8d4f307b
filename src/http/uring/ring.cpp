#include "http/uring/ring.hpp"

#include <cstring>
#include <utility>

namespace latchkey::http {

Ring::Ring(std::unique_ptr<RingKernel> kernel) : kernel_(std::move(kernel)), memory_(kernel_->memory()) {
  for (std::size_t id = 0; id < memory_.buffers.size(); ++id) give_back(static_cast<std::uint16_t>(id));
}

io_uring_sqe* Ring::entry(std::uint64_t user_data) {
  if (waiting() >= memory_.entries.size()) return nullptr;
  io_uring_sqe& entry = at(tail());
  ++made_;
  std::memset(&entry, 0, sizeof entry);
  entry.user_data = user_data;
  return &entry;
}

// Entries that the kernel has not taken are ours to change: a withdrawn one does nothing (NOP) and completes all the
// same.
unsigned Ring::withdraw(std::uint64_t user_data) {
  unsigned n = 0;
  for (std::uint32_t i = tail() - waiting(); i != tail(); ++i) {
    if (at(i).user_data != user_data) continue;
    std::memset(&at(i), 0, sizeof(io_uring_sqe));
    at(i).opcode = IORING_OP_NOP;
    ++n;
  }
  return n;
}

void Ring::enter(std::chrono::milliseconds wait) {
  std::atomic_ref(*memory_.submission_tail).store(tail(), std::memory_order_release);
  kernel_->enter(waiting(), wait);
}

// The kernel reads buffers up to the tail, so the tail moves last. It stands in the reserved field of the first
// buffer.
void Ring::give_back(std::uint16_t id) {
  io_uring_buf& buffer = memory_.buffers[buffer_tail_ & (memory_.buffers.size() - 1)];
  buffer.addr = reinterpret_cast<std::uintptr_t>(memory_.buffer_octets.data() + id * buffer_size);
  buffer.len = buffer_size;
  buffer.bid = id;
  std::atomic_ref(memory_.buffers[0].resv).store(++buffer_tail_, std::memory_order_release);
}

}  // namespace latchkey::http

#pragma once

// The two queues of io_uring(7) and a ring of provided buffers, by the kernel's own header: what is needed of liburing
// is less than what would have to be replaced to test it. The system call alone is behind an interface: a test puts a
// kernel of its own there (fuzz/uring_fuzz.cpp).
//
//   entry()      a free place in the submission queue, which the caller fills; it goes out with the next enter()
//   enter()      the kernel takes the entries, and waits for completions
//   pull(f)      each completion, once

#include <linux/io_uring.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace latchkey::http {

/// Where the queues lie. The kernel reads and writes them; heads and tails count without end, modulo 2^32.
struct RingMemory {
  std::uint32_t* submission_head = nullptr;  // the kernel's
  std::uint32_t* submission_tail = nullptr;  // ours
  std::span<io_uring_sqe> entries;           // a power of two
  std::uint32_t* completion_head = nullptr;  // ours
  std::uint32_t* completion_tail = nullptr;  // the kernel's
  std::span<io_uring_cqe> completions;       // a power of two
  std::span<io_uring_buf> buffers;           // a power of two; the tail is buffers[0].resv
  std::span<char> buffer_octets;             // Ring::buffer_size for each
};

/// The kernel's side of a ring.
class RingKernel {
 public:
  virtual ~RingKernel() = default;
  virtual const RingMemory& memory() const = 0;
  /// From now on the calling thread's ring.
  virtual void enable() = 0;
  /// Takes up to `to_submit` entries and, where `wait` is not negative, completes what is ready and waits so long for
  /// one completion at least. What it took shows in the queue's head, whatever else went wrong.
  virtual void enter(unsigned to_submit, std::chrono::milliseconds wait) = 0;
};

/// One thread's.
class Ring {
 public:
  static constexpr unsigned entry_count = 1024;
  static constexpr unsigned completion_count = 4096;
  static constexpr unsigned buffer_count = 256;
  static constexpr std::size_t buffer_size = 2048;  // most requests fit; 32 of them may come at once for a connection
  static constexpr std::uint16_t buffer_group = 1;

  explicit Ring(std::unique_ptr<RingKernel> kernel);

  void enable() { kernel_->enable(); }

  /// nullptr: the queue is full. Zeroed, but for `user_data`.
  io_uring_sqe* entry(std::uint64_t user_data);
  /// Counts entries: those before taken() are the kernel's, those from there to made() still wait.
  std::uint64_t made() const { return made_; }
  std::uint64_t taken() const { return made_ - waiting(); }
  /// Entries that wait and are so marked do nothing when they are taken. How many there were.
  unsigned withdraw(std::uint64_t user_data);

  static constexpr std::chrono::milliseconds no_wait{-1};
  void enter(std::chrono::milliseconds wait);

  template <typename Each>
  void pull(Each&& each) {
    const std::uint32_t tail = std::atomic_ref(*memory_.completion_tail).load(std::memory_order_acquire);
    std::uint32_t head = *memory_.completion_head;
    for (; head != tail; ++head) each(memory_.completions[head & (memory_.completions.size() - 1)]);
    std::atomic_ref(*memory_.completion_head).store(head, std::memory_order_release);
  }

  std::span<char> buffer(std::uint16_t id) const {
    return memory_.buffer_octets.subspan(id * buffer_size, buffer_size);
  }
  /// The kernel may use the buffer again.
  void give_back(std::uint16_t id);

 private:
  std::uint32_t tail() const { return static_cast<std::uint32_t>(made_); }
  std::uint32_t waiting() const {
    return tail() - std::atomic_ref(*memory_.submission_head).load(std::memory_order_acquire);
  }
  io_uring_sqe& at(std::uint32_t i) { return memory_.entries[i & (memory_.entries.size() - 1)]; }

  const std::unique_ptr<RingKernel> kernel_;
  const RingMemory& memory_;
  std::uint64_t made_ = 0;
  std::uint16_t buffer_tail_ = 0;
};

}  // namespace latchkey::http

#pragma once

// A kernel for http/uring that does what a script says: takes few entries, sends less, receives in small pieces, later,
// or not at all. It works on real sockets, and holds those that it was asked about open, as the kernel does. Its
// buffers are overwritten as soon as they are given back.

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <span>
#include <vector>

#include "http/socket.hpp"
#include "http/uring/ring.hpp"

namespace latchkey::http {

/// Octets that decide; at their end all goes well.
class Script {
 public:
  explicit Script(std::span<const std::uint8_t> octets) : octets_(octets) {}
  bool over() const { return octets_.empty(); }
  /// Below `bound`; 0 at the end, which is what goes well.
  unsigned next(unsigned bound) {
    if (octets_.empty()) return 0;
    const unsigned value = octets_.front();
    octets_ = octets_.subspan(1);
    return value % bound;
  }

 private:
  std::span<const std::uint8_t> octets_;
};

class ScriptedKernel final : public RingKernel {
 public:
  explicit ScriptedKernel(Script& script) : script_(script) {
    memory_ = {&submission_head_, &submission_tail_, entries_, &completion_head_,
               &completion_tail_, completions_,      buffers_, octets_};
  }

  const RingMemory& memory() const override { return memory_; }
  void enable() override {}
  /// No client reads any more.
  void take_away_room() { has_room_ = false; }
  std::size_t in_progress() const { return operations_.size(); }

  void enter(unsigned to_submit, std::chrono::milliseconds wait) override {
    unsigned take = to_submit;
    if (script_.next(8) == 7) take = script_.next(to_submit + 1);
    flush_overflow();
    for (; take > 0; --take) submit(entries_[submission_head_++ % entries_.size()]);
    if (wait >= std::chrono::milliseconds(0)) progress();
    spoil_free_buffers();
  }

 private:
  struct Operation {
    std::uint64_t user_data;
    std::uint8_t opcode;
    short events;
    Socket socket;  // what the entry's descriptor named when it was taken
  };

  void submit(const io_uring_sqe& entry) {
    switch (entry.opcode) {
      case IORING_OP_SEND:
        return send(entry);
      case IORING_OP_ASYNC_CANCEL:
        return cancel(entry);
      case IORING_OP_RECV:
      case IORING_OP_POLL_ADD:
        operations_.push_back({entry.user_data, entry.opcode, static_cast<short>(entry.poll32_events),
                               Socket(::fcntl(entry.fd, F_DUPFD_CLOEXEC, 0))});
        return;
      default:
        complete(entry.user_data, 0, 0);
    }
  }

  void send(const io_uring_sqe& entry) {
    const char* octets = reinterpret_cast<const char*>(static_cast<std::uintptr_t>(entry.addr));
    std::size_t size = entry.len;
    if (!has_room_) return complete(entry.user_data, -EAGAIN, 0);
    switch (script_.next(4)) {
      case 1:
        return complete(entry.user_data, -EAGAIN, 0);
      case 2:
        size = std::min<std::size_t>(size, script_.next(8));
        if (size == 0) return complete(entry.user_data, -EAGAIN, 0);
        break;
      default:
        break;
    }
    const auto n = ::send(entry.fd, octets, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n != static_cast<ssize_t>(entry.len)) complete(entry.user_data, n < 0 ? -errno : static_cast<int>(n), 0);
  }

  void cancel(const io_uring_sqe& entry) {
    const auto found = std::find_if(operations_.begin(), operations_.end(),
                                    [&](const Operation& o) { return o.user_data == entry.addr; });
    if (found == operations_.end()) return complete(entry.user_data, -ENOENT, 0);
    complete(found->user_data, -ECANCELED, 0);
    operations_.erase(found);
  }

  void progress() {
    for (std::size_t i = 0; i < operations_.size();) {
      const bool over = operations_[i].opcode == IORING_OP_RECV ? receive(operations_[i]) : poll(operations_[i]);
      over ? void(operations_.erase(operations_.begin() + static_cast<std::ptrdiff_t>(i))) : void(++i);
    }
  }

  // True: it is over.
  bool receive(const Operation& operation) {
    const auto end = [&](int result) { return complete(operation.user_data, result, 0), true; };
    std::size_t most = Ring::buffer_size;
    switch (script_.next(8)) {
      case 1:
        return false;
      case 2:
        return end(-ENOBUFS);
      case 3:
        return end(-EINTR);
      case 4:
      case 5:
        most = 1 + script_.next(8);
        break;
      default:
        break;
    }
    if (free_buffers() == 0) return end(-ENOBUFS);
    io_uring_buf& buffer = buffers_[buffer_head_ % buffers_.size()];
    auto* const into = reinterpret_cast<char*>(static_cast<std::uintptr_t>(buffer.addr));
    const auto n = ::recv(operation.socket.descriptor(), into, most, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return false;
    if (n <= 0) return end(n < 0 ? -errno : 0);
    ++buffer_head_;
    const bool goes_on = script_.next(8) != 7;
    complete(operation.user_data, static_cast<int>(n),
             IORING_CQE_F_BUFFER | unsigned{buffer.bid} << IORING_CQE_BUFFER_SHIFT | (goes_on ? IORING_CQE_F_MORE : 0));
    return !goes_on;
  }

  bool poll(const Operation& operation) {
    pollfd ready{operation.socket.descriptor(), operation.events, 0};
    if (operation.events == POLLOUT && !has_room_) return false;
    if (script_.next(4) == 1 || ::poll(&ready, 1, 0) != 1) return false;
    complete(operation.user_data, ready.revents, 0);
    return true;
  }

  void complete(std::uint64_t user_data, int result, unsigned flags) {
    io_uring_cqe completion{};
    completion.user_data = user_data;
    completion.res = result;
    completion.flags = flags;
    overflow_.push_back(completion);
    flush_overflow();
  }

  void flush_overflow() {
    while (!overflow_.empty() && completion_tail_ - completion_head_ < completions_.size()) {
      completions_[completion_tail_++ % completions_.size()] = overflow_.front();
      overflow_.pop_front();
    }
  }

  std::uint16_t free_buffers() const { return static_cast<std::uint16_t>(buffers_[0].resv - buffer_head_); }

  void spoil_free_buffers() {
    for (std::uint16_t i = 0; i < free_buffers(); ++i) {
      const io_uring_buf& buffer = buffers_[static_cast<std::uint16_t>(buffer_head_ + i) % buffers_.size()];
      std::memset(reinterpret_cast<char*>(static_cast<std::uintptr_t>(buffer.addr)), 0xdd, Ring::buffer_size);
    }
  }

  static constexpr std::size_t buffer_count = 4;

  Script& script_;
  std::uint32_t submission_head_ = 0, submission_tail_ = 0, completion_head_ = 0, completion_tail_ = 0;
  std::vector<io_uring_sqe> entries_ = std::vector<io_uring_sqe>(8);
  // Room for all sends of one enter(): only so the outcome of each is known when it returns (Ring::completion_count).
  std::vector<io_uring_cqe> completions_ = std::vector<io_uring_cqe>(32);
  std::vector<io_uring_buf> buffers_ = std::vector<io_uring_buf>(buffer_count);
  std::vector<char> octets_ = std::vector<char>(buffer_count * Ring::buffer_size);
  RingMemory memory_;
  std::uint16_t buffer_head_ = 0;
  bool has_room_ = true;
  std::vector<Operation> operations_;
  std::deque<io_uring_cqe> overflow_;
};

}  // namespace latchkey::http

#pragma once

// The event loop on io_uring(7): one system call a turn. It hands the kernel all answers of the last turn and waits for
// what comes; a connection's receive is asked for once and completes again and again, each time in one of the thread's
// buffers, so that an idle connection has none.
//
// What is easy to get wrong, and how it is met here:
//  - An answer's octets must stay until the kernel has them. Sends never wait (MSG_DONTWAIT), so each is done with when
//    the kernel has taken its entry; one that failed, or was short, says so at once and goes on by readiness
//    (Unsent). One that went well says nothing (IOSQE_CQE_SKIP_SUCCESS).
//  - An entry names a descriptor, which may be another client's by the time it is taken. So none is closed before the
//    kernel has taken the entries that name it.
//  - A completion may be on its way for a client that has gone. It carries the generation of its client.
//  - A receive that was asked for holds its connection open. Closing takes it back.
//  - A client that sends and sends would take all buffers. A buffer is given back within its turn; what the connection
//    does not want yet is copied, and too much of it ends the receive until it is wanted.

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "http/poller.hpp"
#include "http/unsent.hpp"
#include "http/uring/ring.hpp"

namespace latchkey::http {

class UringTransport;

/// What an entry asked for, as its completion brings it back.
struct UringMark {
  enum class Kind : std::uint8_t { none, receive, send, room, cancel, watch };
  Kind kind = Kind::none;
  std::uint32_t index = 0;       // of the transport or watch; below 2^24
  std::uint32_t generation = 0;  // of its client

  std::uint64_t packed() const {
    return std::uint64_t{generation} << 32 | std::uint64_t{index & 0xff'ffff} << 8 | static_cast<std::uint8_t>(kind);
  }
  static UringMark of(std::uint64_t packed) {
    return {static_cast<Kind>(packed & 0xff), static_cast<std::uint32_t>(packed >> 8 & 0xff'ffff),
            static_cast<std::uint32_t>(packed >> 32)};
  }
};

class UringPoller final : public Poller {
 public:
  explicit UringPoller(std::unique_ptr<RingKernel> kernel);

  bool add(int descriptor, Trigger trigger, Watcher& watcher) override;
  void remove(int descriptor) override;
  std::unique_ptr<Transport> make_transport(TransportUser& user) override;
  void turn(std::chrono::milliseconds patience, CoarseTime& now) override;
  void submit() override;
  void finish() override;

 private:
  friend class UringTransport;

  struct Watch {
    int descriptor = -1;
    Trigger trigger = Trigger::level;
    Watcher* watcher = nullptr;  // null: not watched
    std::uint32_t generation = 0;
    bool asked = false;  // the kernel has it
  };

  io_uring_sqe* entry(const UringMark& mark);
  bool cancel(const UringMark& mark);
  void ask_to_watch(std::uint32_t index);
  void ask_again();
  void enter(std::chrono::milliseconds wait);
  void complete(const io_uring_cqe& completion);
  void tell_watcher(const UringMark& mark, bool last);

  Ring ring_;
  std::vector<UringTransport*> transports_;  // by index
  std::vector<UringTransport*> sent_;        // with sends that wait for the kernel
  std::vector<UringTransport*> wanting_;     // something from the kernel, in the next turn
  std::vector<UringTransport*> asking_;
  std::deque<Watch> watches_;              // by index
  std::vector<io_uring_cqe> completions_;  // pulled, and not told yet
  std::vector<io_uring_cqe> telling_;
  std::size_t in_kernel_ = 0;  // what was asked for, keeps a descriptor open and has not ended
  bool enabled_ = false;
};

/// A connection that receives its octets as completions.
class UringTransport final : public Transport {
 public:
  UringTransport(UringPoller& poller, TransportUser& user, std::uint32_t index)
      : poller_(poller), user_(user), index_(index) {}

  bool open(Socket socket) override;
  void close() override;
  Received receive(std::span<char> into) override;
  Socket::Status send(std::string& octets) override;
  Socket::Status settle() override;
  bool finish_sending() override;

  // The poller's.
  void on_received(const io_uring_cqe& completion);
  void on_room();
  void on_send_failed(std::int32_t result);
  bool send_waits() const { return sending_waits_ && send_entry_ >= poller_.ring_.taken(); }
  void on_send_taken();
  /// Asks for what it wants and could not have.
  void ask();
  bool is_now(std::uint32_t generation) const { return generation == generation_ && socket_.is_open(); }

 private:
  static constexpr std::size_t most_held = 16 * 1024;  // before nothing more is received until it is used

  UringMark mark(UringMark::Kind kind) const { return {kind, index_, generation_}; }
  io_uring_sqe* entry(UringMark::Kind kind);
  void want();
  void ask_to_receive();
  void ask_for_room();
  void hold_rest();
  void keep_unsent(std::string& octets, std::size_t sent);
  void submit_entries();
  void withdraw(UringMark::Kind kind);
  bool cancel(UringMark::Kind kind) { return poller_.cancel(mark(kind)); }

  UringPoller& poller_;
  TransportUser& user_;
  const std::uint32_t index_;
  std::uint32_t generation_ = 0;  // counts clients
  Socket socket_;
  std::span<const char> arrived_;  // in a buffer of the ring; within on_received() only
  std::string held_;               // arrived earlier, and not wanted yet
  std::size_t held_used_ = 0;      // of held_
  std::string sending_;            // as the entry in the queue has it
  Unsent unsent_;
  std::uint64_t send_entry_ = 0;  // in the ring's count: of sending_
  std::uint64_t last_entry_ = 0;  // of this client's
  bool receiving_ = false;        // the kernel has been asked
  bool cancelled_ = false;        // the kernel has been asked to end that
  bool ended_ = false;            // the peer's octets
  bool sending_waits_ = false;    // sending_ is not the kernel's yet
  bool room_asked_ = false;       // for the rest of what was sent
  bool wanting_ = false;          // stands in the poller's list
};

}  // namespace latchkey::http

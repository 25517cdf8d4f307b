#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "http/uring/uring_poller.hpp"

namespace latchkey::http {

using Kind = UringMark::Kind;

bool UringTransport::open(Socket socket) {
  socket_ = std::move(socket);
  ask_to_receive();
  return true;
}

// The kernel holds the connection open until what it was asked for is taken back.
void UringTransport::close() {
  if (!socket_.is_open()) return;
  sending_waits_ = false;  // no word of it
  submit_entries();
  const bool taken_back = (!receiving_ || cancelled_ || cancel(Kind::receive)) && (!room_asked_ || cancel(Kind::room));
  if (!taken_back) ::shutdown(socket_.descriptor(), SHUT_RDWR);
  socket_.close();
  ++generation_;
  receiving_ = cancelled_ = ended_ = sending_waits_ = room_asked_ = false;
  arrived_ = {};
  held_used_ = 0;
  Unsent::forget(held_);
  Unsent::forget(sending_);
  unsent_.clear();
}

// They name a descriptor, and octets.
void UringTransport::submit_entries() {
  if (last_entry_ < poller_.ring_.taken()) return;
  poller_.submit();
  if (last_entry_ < poller_.ring_.taken()) return;
  for (const Kind kind : {Kind::receive, Kind::send, Kind::room}) withdraw(kind);
}

void UringTransport::withdraw(Kind kind) {
  const unsigned n = poller_.ring_.withdraw(mark(kind).packed());
  if (kind != Kind::send) poller_.in_kernel_ -= n;
}

io_uring_sqe* UringTransport::entry(Kind kind) {
  io_uring_sqe* entry = poller_.entry(mark(kind));
  if (entry == nullptr) return nullptr;
  entry->fd = socket_.descriptor();
  last_entry_ = poller_.ring_.made() - 1;
  if (kind != Kind::send) ++poller_.in_kernel_;
  return entry;
}

void UringTransport::want() {
  if (!std::exchange(wanting_, true)) poller_.wanting_.push_back(this);
}

void UringTransport::ask() {
  wanting_ = false;
  if (!socket_.is_open()) return;
  ask_for_room();
  ask_to_receive();
}

void UringTransport::ask_to_receive() {
  if (receiving_ || ended_ || held_.size() - held_used_ >= most_held) return;
  io_uring_sqe* entry = this->entry(Kind::receive);
  if (entry == nullptr) return want();
  entry->opcode = IORING_OP_RECV;
  entry->ioprio = IORING_RECV_MULTISHOT;
  entry->flags = IOSQE_BUFFER_SELECT;
  entry->buf_group = Ring::buffer_group;
  receiving_ = true;
}

// A multishot receive completes many times; F_MORE says that it goes on. Without F_MORE the kernel has ended it: it
// ran out of buffers (ENOBUFS), was cancelled, or the peer has ended.
void UringTransport::on_received(const io_uring_cqe& completion) {
  if ((completion.flags & IORING_CQE_F_MORE) == 0) {
    receiving_ = cancelled_ = false;
    want();  // there are buffers again when this turn is over
  }
  if (completion.res > 0) {
    const auto id = static_cast<std::uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
    arrived_ = poller_.ring_.buffer(id).first(static_cast<std::size_t>(completion.res));
  } else if (completion.res == -ENOBUFS || completion.res == -ECANCELED || completion.res == -EINTR) {
    return;
  } else {
    ended_ = true;
  }
  try {
    user_.on_readable();
  } catch (...) {
    hold_rest();
    throw;
  }
  hold_rest();
}

// What the connection does not want yet leaves the ring's buffer, and too much of it ends the receive for now.
void UringTransport::hold_rest() {
  if (arrived_.empty()) return;
  held_.append(arrived_.data(), arrived_.size());
  arrived_ = {};
  if (receiving_ && !cancelled_ && held_.size() - held_used_ >= most_held) cancelled_ = cancel(Kind::receive);
}

// First what was held from earlier completions, then what the current one brought: the order in which it arrived.
Transport::Received UringTransport::receive(std::span<char> into) {
  std::size_t n = 0;
  const auto take = [&](std::span<const char> from) {
    const std::size_t size = std::min(from.size(), into.size() - n);
    if (size > 0) std::memcpy(into.data() + n, from.data(), size);
    n += size;
    return size;
  };
  if (!held_.empty()) {
    held_used_ += take(std::span(held_).subspan(held_used_));
    if (held_used_ == held_.size()) {
      held_used_ = 0;
      Unsent::forget(held_);
      if (!receiving_ && !ended_) want();
    }
  }
  arrived_ = arrived_.subspan(take(arrived_));
  const bool more = !held_.empty() || !arrived_.empty() || ended_;
  if (n > 0) return {Socket::Status::done, n, more};
  return {ended_ ? Socket::Status::ended : Socket::Status::later, 0, more};
}

// Only queues the entry: the kernel takes it with the others of this turn. The octets stay in `sending_` until then,
// and a second send before that has to wait for the first.
Socket::Status UringTransport::send(std::string& octets) {
  if (sending_waits_ && settle() == Socket::Status::later) {
    keep_unsent(octets, 0);
    return Socket::Status::later;
  }
  io_uring_sqe* entry = this->entry(Kind::send);
  if (entry == nullptr) {
    keep_unsent(octets, 0);
    return Socket::Status::later;
  }
  sending_.swap(octets);
  octets.clear();
  entry->opcode = IORING_OP_SEND;
  entry->addr = reinterpret_cast<std::uintptr_t>(sending_.data());
  entry->len = static_cast<std::uint32_t>(sending_.size());
  entry->msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL;
  entry->flags = IOSQE_CQE_SKIP_SUCCESS;
  send_entry_ = last_entry_;
  sending_waits_ = true;
  poller_.sent_.push_back(this);
  return Socket::Status::done;
}

void UringTransport::keep_unsent(std::string& octets, std::size_t sent) {
  unsent_.keep(octets, sent);
  if (!room_asked_) want();
}

void UringTransport::on_send_failed(std::int32_t result) {
  if (!sending_waits_) return;
  sending_waits_ = false;
  keep_unsent(sending_, static_cast<std::size_t>(std::max(result, 0)));
  user_.on_sent(Socket::Status::later);  // if it has ended, that will show when the rest is tried
}

void UringTransport::on_send_taken() {
  sending_waits_ = false;
  Unsent::forget(sending_);
}

// Makes the kernel take a queued send now. One that it does not take is withdrawn, and its octets go out when there
// is room.
Socket::Status UringTransport::settle() {
  if (sending_waits_) poller_.submit();
  if (std::exchange(sending_waits_, false)) {  // the kernel takes nothing now
    withdraw(Kind::send);
    keep_unsent(sending_, 0);
  }
  return unsent_.empty() ? Socket::Status::done : Socket::Status::later;
}

bool UringTransport::finish_sending() {
  settle();
  return socket_.finish_sending();
}

void UringTransport::ask_for_room() {
  if (room_asked_ || unsent_.empty()) return;
  io_uring_sqe* entry = this->entry(Kind::room);
  if (entry == nullptr) return want();
  entry->opcode = IORING_OP_POLL_ADD;
  entry->poll32_events = POLLOUT;
  room_asked_ = true;
}

void UringTransport::on_room() {
  room_asked_ = false;
  if (unsent_.empty()) return;
  const auto [status, moved] = unsent_.push(socket_);
  if (status == Socket::Status::later) ask_for_room();
  if (status != Socket::Status::later || moved) user_.on_sent(status);
}

}  // namespace latchkey::http

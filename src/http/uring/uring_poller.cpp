#include "http/uring/uring_poller.hpp"

#include <poll.h>

#include <algorithm>

namespace latchkey::http {

using Kind = UringMark::Kind;

UringPoller::UringPoller(std::unique_ptr<RingKernel> kernel) : ring_(std::move(kernel)) {
  completions_.reserve(Ring::completion_count);
  telling_.reserve(Ring::completion_count);
  sent_.reserve(Ring::entry_count);
}

std::unique_ptr<Transport> UringPoller::make_transport(TransportUser& user) {
  auto transport = std::make_unique<UringTransport>(*this, user, static_cast<std::uint32_t>(transports_.size()));
  transports_.push_back(transport.get());
  return transport;
}

// The kernel takes what is queued to make room. Before the thread's first turn it cannot.
io_uring_sqe* UringPoller::entry(const UringMark& mark) {
  if (io_uring_sqe* entry = ring_.entry(mark.packed())) return entry;
  if (enabled_) submit();
  return ring_.entry(mark.packed());
}

bool UringPoller::cancel(const UringMark& target) {
  io_uring_sqe* entry = this->entry({Kind::cancel, target.index, target.generation});
  if (entry == nullptr) return false;
  entry->opcode = IORING_OP_ASYNC_CANCEL;
  entry->fd = -1;
  entry->addr = target.packed();
  entry->flags = IOSQE_CQE_SKIP_SUCCESS;
  return true;
}

bool UringPoller::add(int descriptor, Trigger trigger, Watcher& watcher) {
  auto at = std::find_if(watches_.begin(), watches_.end(), [](const Watch& w) { return w.watcher == nullptr; });
  if (at == watches_.end()) at = watches_.insert(watches_.end(), Watch{});
  at->descriptor = descriptor;
  at->trigger = trigger;
  at->watcher = &watcher;
  at->asked = false;
  ask_to_watch(static_cast<std::uint32_t>(at - watches_.begin()));
  return true;
}

void UringPoller::remove(int descriptor) {
  for (std::uint32_t index = 0; index < watches_.size(); ++index) {
    Watch& watch = watches_[index];
    if (watch.watcher == nullptr || watch.descriptor != descriptor) continue;
    const UringMark mark{Kind::watch, index, watch.generation};
    if (enabled_) submit();  // an entry that waits still would be asked of the descriptor's next owner
    if (watch.asked) {
      in_kernel_ -= ring_.withdraw(mark.packed());
      cancel(mark);
    }
    watch.watcher = nullptr;
    ++watch.generation;
  }
}

// Told once for each time it is asked (level), or each time something comes (edge).
void UringPoller::ask_to_watch(std::uint32_t index) {
  Watch& watch = watches_[index];
  io_uring_sqe* entry = this->entry({Kind::watch, index, watch.generation});
  if (entry == nullptr) return;  // ask_again() comes in each turn
  entry->opcode = IORING_OP_POLL_ADD;
  entry->fd = watch.descriptor;
  entry->poll32_events = POLLIN;
  if (watch.trigger == Trigger::edge) entry->len = IORING_POLL_ADD_MULTI;
  watch.asked = true;
  ++in_kernel_;
}

void UringPoller::ask_again() {
  for (std::uint32_t index = 0; index < watches_.size(); ++index) {
    if (watches_[index].watcher != nullptr && !watches_[index].asked) ask_to_watch(index);
  }
  if (wanting_.empty()) return;
  asking_.swap(wanting_);
  for (UringTransport* transport : asking_) transport->ask();
  asking_.clear();
}

// The outcome of sends comes first, as it is known as soon as the kernel has taken them: before a connection can be
// told anything that makes it send again.
void UringPoller::enter(std::chrono::milliseconds wait) {
  ring_.enter(wait);
  ring_.pull([this](const io_uring_cqe& completion) {
    const auto mark = UringMark::of(completion.user_data);
    if (mark.kind != Kind::send) return completions_.push_back(completion);
    UringTransport& transport = *transports_[mark.index];
    if (transport.is_now(mark.generation)) transport.on_send_failed(completion.res);
  });
  std::erase_if(sent_, [](UringTransport* transport) {
    if (transport->send_waits()) return false;
    transport->on_send_taken();
    return true;
  });
}

void UringPoller::submit() {
  if (ring_.made() != ring_.taken()) enter(Ring::no_wait);
}

void UringPoller::turn(std::chrono::milliseconds patience, CoarseTime& now) {
  if (!std::exchange(enabled_, true)) ring_.enable();
  ask_again();
  const bool more = has_requeued() || !completions_.empty() || !wanting_.empty();
  enter(more ? std::chrono::milliseconds(0) : patience);
  now = coarse_now();
  take_requeued();
  telling_.swap(completions_);  // what an enter in between brings comes in the next turn
  for (const io_uring_cqe& completion : telling_) {
    dispatch([&] { complete(completion); });
    if ((completion.flags & IORING_CQE_F_BUFFER) != 0) {
      ring_.give_back(static_cast<std::uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT));
    }
  }
  telling_.clear();
  dispatch_requeued();
}

// A completion of an earlier client of the same place has another generation and is passed over.
void UringPoller::complete(const io_uring_cqe& completion) {
  const auto mark = UringMark::of(completion.user_data);
  const bool last = (completion.flags & IORING_CQE_F_MORE) == 0;
  if (last && (mark.kind == Kind::receive || mark.kind == Kind::room || mark.kind == Kind::watch)) --in_kernel_;
  switch (mark.kind) {
    case Kind::receive:
      if (transports_[mark.index]->is_now(mark.generation)) transports_[mark.index]->on_received(completion);
      return;
    case Kind::room:
      if (transports_[mark.index]->is_now(mark.generation)) transports_[mark.index]->on_room();
      return;
    case Kind::watch:
      return tell_watcher(mark, last);
    default:
      return;
  }
}

void UringPoller::tell_watcher(const UringMark& mark, bool last) {
  Watch& watch = watches_[mark.index];
  if (watch.watcher == nullptr || watch.generation != mark.generation) return;
  if (last) watch.asked = false;
  watch.watcher->on_ready();
}

// The kernel may still write into our buffers, or hold a descriptor, until each request has completed: turns go on
// until none is left.
void UringPoller::finish() {
  for (const Watch& watch : watches_) {
    if (watch.watcher != nullptr) remove(watch.descriptor);
  }
  constexpr int most_turns = 1000;  // each ends in ten milliseconds
  for (int i = 0; i < most_turns && in_kernel_ > 0; ++i) {
    CoarseTime now = 0;
    turn(std::chrono::milliseconds(10), now);
  }
}

}  // namespace latchkey::http

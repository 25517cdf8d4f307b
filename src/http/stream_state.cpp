#include "http/stream_state.hpp"

namespace latchkey::http {

bool StreamState::write(std::string piece) {
  {
    const MutexLock lock(mutex_);
    if (abandoned_ || end_ != End::open) return false;
    if (pending_bytes_ + in_flight_bytes_ + piece.size() > max_waiting_bytes) {
      end_ = End::overflowed;
    } else {
      pending_bytes_ += piece.size();
      pending_.push_back(std::move(piece));
    }
  }
  ring();
  return !closed();
}

void StreamState::close() {
  {
    const MutexLock lock(mutex_);
    if (abandoned_ || end_ != End::open) return;
    end_ = End::finished;
  }
  ring();
}

bool StreamState::closed() const {
  const MutexLock lock(mutex_);
  return abandoned_ || end_ != End::open;
}

std::size_t StreamState::waiting_bytes() const {
  const MutexLock lock(mutex_);
  return pending_bytes_ + in_flight_bytes_;
}

StreamState::Taken StreamState::take() {
  const MutexLock lock(mutex_);
  rung_ = false;
  in_flight_bytes_ = std::exchange(pending_bytes_, 0);
  return {std::exchange(pending_, {}), end_};
}

void StreamState::abandon() {
  const MutexLock lock(mutex_);
  abandoned_ = true;
  pending_.clear();
  pending_bytes_ = 0;
}

void StreamState::ring() {
  {
    const MutexLock lock(mutex_);
    if (std::exchange(rung_, true)) return;
  }
  const bool posted = inbox_->post({Delivery::Kind::stream_ready, ticket_, {}, shared_from_this()});
  if (!posted) abandon();
}

}  // namespace latchkey::http

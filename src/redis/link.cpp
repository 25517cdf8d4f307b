#include "redis/link.hpp"

#include <algorithm>

namespace latchkey::redis {

using namespace std::chrono_literals;

Result<Connection*> Link::get() {
  if (connection_ && !connection_->broken()) return connection_.get();
  connection_.reset();
  if (pause_ > Duration::zero() && clock_.boot() < next_attempt_) return last_failure_;
  auto opened = Connection::open(address_, timeouts_);
  if (!opened) {
    pause_ = std::clamp<Duration>(pause_ * 2, 20ms, 1s);
    next_attempt_ = clock_.boot() + pause_;
    last_failure_ = opened.error();
    return last_failure_;
  }
  pause_ = Duration::zero();
  ++generation_;
  connection_ = std::move(*opened);
  return connection_.get();
}

}  // namespace latchkey::redis

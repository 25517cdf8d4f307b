#include "http/inbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <system_error>

#include "http/stream_state.hpp"

namespace latchkey::http {

Inbox::Inbox() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Inbox::~Inbox() { ::close(wake_); }

bool Inbox::post(Delivery&& delivery) {
  const MutexLock lock(mutex_);
  if (closed_) return false;
  deliveries_.push_back(std::move(delivery));
  const std::uint64_t one = 1;
  // Only the first rings. Under the lock, so that the descriptor of a closed inbox is never written. It cannot fail.
  if (deliveries_.size() == 1) [[maybe_unused]]
    const auto written = ::write(wake_, &one, sizeof one);
  return true;
}

void Inbox::take(std::vector<Delivery>& into) {
  into.clear();
  const MutexLock lock(mutex_);
  into.swap(deliveries_);
}

void Inbox::close() {
  std::vector<Delivery> dropped;
  {
    const MutexLock lock(mutex_);
    closed_ = true;
    dropped.swap(deliveries_);
  }
  for (const auto& delivery : dropped) {
    if (delivery.stream) delivery.stream->abandon();
  }
}

}  // namespace latchkey::http

#pragma once

#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "base/descriptor.hpp"

namespace latchkey {

/// Wakes a thread that sleeps in poll(): an eventfd, readable once somebody has called wake(). Any thread may call.
class WakeEvent {
 public:
  /// Throws std::system_error where the process may open no more files.
  WakeEvent() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (event_.get() < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  int descriptor() const { return event_.get(); }

  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
  }
  /// Whether somebody has called wake() since the last time.
  bool take() const {
    std::uint64_t count = 0;
    return ::read(event_.get(), &count, sizeof count) == sizeof count;
  }

 private:
  Descriptor event_;
};

}  // namespace latchkey

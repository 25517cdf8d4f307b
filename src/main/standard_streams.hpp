#pragma once

#include <fcntl.h>
#include <unistd.h>

namespace latchkey {

/// A standard stream that was closed at the start is opened on /dev/null. Otherwise the next file of ours would get
/// its number, and the log would be written into the limiter's permits.
inline void hold_standard_streams() {
  int descriptor = 0;
  do {
    descriptor = ::open("/dev/null", O_RDWR);
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor >= 0) ::close(descriptor);
}

}  // namespace latchkey

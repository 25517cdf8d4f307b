// The io_uring transport over a kernel that the input scripts: entries taken late or not, receives cut small, ended or
// without a buffer, sends that are short, clients that come and go. Whoever gets another client's octets, or loses some,
// aborts; octets of a buffer that is no longer its own are a use after free.

#include <cstdint>
#include <span>

#include "http/testing/echo_world.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  latchkey::http::EchoWorld({data, size}).run();
  return 0;
}

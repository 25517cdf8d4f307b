// The transport over a kernel that does what it may: takes little, completes late, ends receives, sends less.

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "http/testing/echo_world.hpp"

namespace latchkey::http {
namespace {

TEST(UringTransport, KeepsEachClientsOctetsWhateverTheKernelDoes) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::vector<std::uint8_t> script(400 + random() % 4000);
    for (auto& octet : script) octet = static_cast<std::uint8_t>(random());
    EchoWorld(script).run();
  }
}

}  // namespace
}  // namespace latchkey::http

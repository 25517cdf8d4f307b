#include "base/mapping_guard.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/descriptor.hpp"
#include "base/resource_signals.hpp"

namespace latchkey {
namespace {

/// Four pages of 'x' in a file, mapped.
class MappedFile {
 public:
  MappedFile() {
    decide_resource_signals();
    ::unlink(name_.c_str());
    const std::string content(bytes, 'x');
    EXPECT_EQ(::write(file_.get(), content.data(), content.size()), ssize_t{bytes});
    map_ = static_cast<char*>(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0));
  }
  ~MappedFile() { ::munmap(map_, bytes); }
  volatile char& operator[](std::size_t at) const { return map_[at]; }
  void* begin() const { return map_; }
  void cut() const { EXPECT_EQ(::ftruncate(file_.get(), 0), 0); }
  static constexpr std::size_t bytes = 4 * 4096;

 private:
  std::string name_ = "/tmp/latchkey-mapped.XXXXXX";
  Descriptor file_{::mkstemp(name_.data())};
  char* map_ = nullptr;
};

TEST(MappingGuard, WhatSomebodyElseCutsOffReadsAsZeros) {
  const MappedFile mapped;
  const MappingGuard guard(mapped.begin(), MappedFile::bytes);
  EXPECT_EQ(mapped[5000], 'x');
  EXPECT_FALSE(guard.was_cut());
  mapped.cut();
  EXPECT_EQ(mapped[5000], 0);
  EXPECT_TRUE(guard.was_cut());
  mapped[0] = 'y';
  EXPECT_EQ(mapped[0], 'y');
  EXPECT_EQ(mapped[MappedFile::bytes - 1], 0);
}

TEST(MappingGuardDeathTest, AnyOtherMappingEndsTheProcessWithASentence) {
  const MappedFile mapped;
  { const MappingGuard ended(mapped.begin(), MappedFile::bytes); }
  mapped.cut();
  EXPECT_EXIT(mapped[0] = 'y', testing::ExitedWithCode(1), "shortened by somebody else");
}

}  // namespace
}  // namespace latchkey

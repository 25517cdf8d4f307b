#pragma once

// The blocks of all shards: numbered places in one stretch of addresses, in a file as far as that reaches. They never
// move.

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "base/mutex.hpp"
#include "key/key_id.hpp"
#include "limit/counter_id.hpp"
#include "limit/key_window.hpp"
#include "limit/local/counter_room.hpp"
#include "limit/local/limit_file.hpp"
#include "limit/sliding_window.hpp"

namespace latchkey::limit {

/// What is remembered of one key. Five cache lines; the first tells the key and the state of its window. All zero:
/// vacant.
struct alignas(64) KeyBlock {
  KeyId key;
  std::uint32_t hash = 0;
  enum class Use : std::uint32_t { vacant, taken, other_window } use = Use::vacant;
  KeyWindow permits;
};
static_assert(std::is_trivially_copyable_v<KeyBlock> && sizeof(KeyBlock) == LimitFile::block_bytes);

/// The same room for any other window of up to a minute; Use::other_window.
struct alignas(64) WindowBlock {
  OwnerId owner;
  std::uint32_t unused = 0;
  KeyBlock::Use use = KeyBlock::Use::vacant;
  std::uint64_t limit = 0;
  SlidingWindow permits;

  CounterId id() const { return {owner, limit}; }
};
static_assert(std::is_trivially_copyable_v<WindowBlock> && sizeof(WindowBlock) == LimitFile::block_bytes);
static_assert(offsetof(WindowBlock, use) == offsetof(KeyBlock, use));

/// Any thread may call any method; a block is its owner's.
class BlockPool {
 public:
  /// `room` outlives it.
  BlockPool(LimitFile file, CounterRoom& room)
      : file_(std::move(file)), blocks_(reinterpret_cast<KeyBlock*>(file_.blocks())), room_(room) {}

  KeyBlock& at(std::uint32_t number) const { return blocks_[number]; }
  WindowBlock& window_at(std::uint32_t number) const { return reinterpret_cast<WindowBlock&>(blocks_[number]); }
  /// Adds the numbers of `count` vacant blocks, which are the caller's from now on. Throws std::bad_alloc where neither
  /// the file nor the memory has room.
  void take(std::uint32_t count, std::vector<std::uint32_t>& numbers);

  /// Before any take(): offers each block that an earlier process left taken. `adopt(number)` says whether it still
  /// matters, and asks nothing of the pool but at() and window_at(); the others become vacant, and the file ends behind the last one that matters.
  template <class Adopt>
  void inherit(Adopt&& adopt) {
    const MutexLock lock(mutex_);
    for (std::uint32_t number = file_.reach(); number-- > 0;) {
      const bool matters = at(number).use != KeyBlock::Use::vacant && adopt(number);
      if (matters && made_ == 0) made_ = number + 1;
      if (!matters) leave_vacant(number);
    }
    file_.cut_back(made_);
  }

  const LimitFile& file() const { return file_; }
  CounterRoom& room() { return room_; }
  /// Blocks that were ever needed.
  std::size_t made() const;
  bool continues_in_memory() const;

 private:
  void leave_vacant(std::uint32_t number) REQUIRES(mutex_);
  std::uint32_t next() REQUIRES(mutex_);

  LimitFile file_;
  KeyBlock* const blocks_;
  CounterRoom& room_;
  mutable Mutex mutex_;
  std::vector<std::uint32_t> returned_ GUARDED_BY(mutex_);  // vacant ones of an earlier process
  std::uint32_t made_ GUARDED_BY(mutex_) = 0;
};

}  // namespace latchkey::limit

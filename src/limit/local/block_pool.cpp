#include "limit/local/block_pool.hpp"

#include <new>

namespace latchkey::limit {

void BlockPool::take(std::uint32_t count, std::vector<std::uint32_t>& numbers) {
  const MutexLock guard(mutex_);
  for (std::uint32_t left = count; left > 0; --left) numbers.push_back(next());
}

std::uint32_t BlockPool::next() {
  if (!returned_.empty()) {
    const std::uint32_t number = returned_.back();
    returned_.pop_back();
    return number;
  }
  if (made_ == file_.reach() && !file_.continues_in_memory()) file_.extend();
  if (made_ == LimitFile::max_blocks) throw std::bad_alloc();
  return made_++;
}

void BlockPool::leave_vacant(std::uint32_t number) {
  KeyBlock& block = at(number);
  if (block.use != KeyBlock::Use::vacant) block.use = KeyBlock::Use::vacant;  // a page that is not touched stays clean
  if (number < made_) returned_.push_back(number);                            // the lowest is given out first
}

std::size_t BlockPool::made() const {
  const MutexLock guard(mutex_);
  return made_;
}

bool BlockPool::continues_in_memory() const {
  const MutexLock guard(mutex_);
  return file_.continues_in_memory();
}

}  // namespace latchkey::limit

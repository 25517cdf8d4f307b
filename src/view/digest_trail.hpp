#pragma once

// The digests of the view's rows at the positions it went through lately: what the store adds up to is as of a moment
// ago, and the view has moved on since.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "feed/rows_digest.hpp"

namespace latchkey::view {

/// One thread.
class DigestTrail {
 public:
  /// 512 KiB once it is full: over a minute at 900 changes a second, which is more than a store takes.
  static constexpr std::size_t length = 65'536;

  /// The rows are exactly those of `seq`. What stood here before is forgotten.
  void begin(Seq seq, feed::RowsDigest digest) {
    ring_.assign(1, digest);
    first_ = last_ = seq;
  }
  void forget() { ring_.clear(); }
  bool begun() const { return !ring_.empty(); }

  /// The next position; another one ends the trail. One that was passed already (a change that came again) is nothing.
  void go_to(Seq seq, feed::RowsDigest digest) {
    if (!begun() || seq <= last_) return;
    if (seq != last_ + 1) return forget();
    last_ = seq;
    if (ring_.size() < length) {
      ring_.push_back(digest);
    } else {
      ring_[place_of(seq)] = digest;
    }
  }
  /// nullopt: not passed yet, or not since the trail began, or too long ago.
  std::optional<feed::RowsDigest> at(Seq seq) const {
    if (!begun() || seq < first_ || seq > last_ || last_ - seq >= ring_.size()) return std::nullopt;
    return ring_[place_of(seq)];
  }

 private:
  std::size_t place_of(Seq seq) const { return (seq - first_) % length; }

  std::vector<feed::RowsDigest> ring_;  // by place_of()
  Seq first_;                           // where the trail began
  Seq last_;
};

}  // namespace latchkey::view

#pragma once

// The view's memos of proven tokens, kept for the next process, so that a restart does not pay every signature again.
//
//   file   = records of 64 bytes, appended by one write each; what follows the last whole one is torn, and cut off
//   record = key id (16) | token digest (16) | issue time, seconds (8) | first bytes of the signing key (8) | MAC (16)
//   MAC    = the first 128 bits of HMAC-SHA-256, by a secret of the data directory, over
//            "latchkey memo 1" | public signing key (32) | the record before its MAC (48) | user id
//
// A record states a fact that does not age: the token of this digest is signed by that key and names that key id, user
// id and issue time. Whether that is worth anything is asked of the view as it is: of a retired signing key, an issue
// that was rotated out, another user or an unknown key id nothing is taken over, whichever epoch the store is in. A
// record that was edited, made up or copied from elsewhere lacks the MAC. (A user that can read the secret can read the
// private signing keys beside it, and needs no forged memos.) Neither tokens nor anything to make one from is in the
// file.
//
// Read in order and appended to, never looked up, so it is no mapped table: the view's rows are the table.

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/mutex.hpp"
#include "base/secret.hpp"
#include "view/view.hpp"

namespace latchkey::view {

class MemoLog {
 public:
  /// Creates what is missing, 0600. `secret` is not empty. Outlived by the view.
  static Result<std::unique_ptr<MemoLog>> open(const std::filesystem::path& path, const Secret& secret,
                                               const View& view);
  ~MemoLog();
  MemoLog(const MemoLog&) = delete;
  MemoLog& operator=(const MemoLog&) = delete;

  /// The token was proven by `proof` to be the row's key's, issued then. Survives kill -9 once it returns. Any thread;
  /// one write, so beside a signature, not on the request path. What the disk or the bound has no room for is counted
  /// and left out: such a token costs another signature after a restart.
  void append(const KeyRow& row, IssueTime issued_at, const jwt::TokenDigest& digest, const Ed25519PublicKey& proof);

  /// Gives the view's rows what may still be remembered of them. By the view's writer, after each load and once it has
  /// caught up (what is newer than a snapshot has memos too); append() waits for it. When most of the file is of no use
  /// any more it is written anew.
  void recall();

  /// Each read by any thread, at any time.
  struct Stats {
    std::atomic<std::uint64_t> recalled{0};  // by the last recall()
    std::atomic<std::uint64_t> dropped{0};   // by the last recall(): of no use
    std::atomic<std::uint64_t> appended{0};
    std::atomic<std::uint64_t> left_out{0};
  };
  const Stats& stats() const { return stats_; }

 private:
  struct Record;
  class Sealer;
  MemoLog(std::filesystem::path path, const Secret& secret, const View& view);

  Result<void> open_file() REQUIRES(mutex_);
  bool follow_file() REQUIRES(mutex_);

  std::uint64_t most_records() const;
  bool recall_one(const View::Reader& reader, const std::vector<UsableKey>& keys, const Record& record);
  template <class Each>
  void for_each_chunk(Each&& each) const REQUIRES(mutex_);
  void rewrite(const std::vector<bool>& useful, std::uint64_t count) REQUIRES(mutex_);

  const std::filesystem::path path_;
  const View& view_;
  const std::unique_ptr<Sealer> sealer_;
  Stats stats_;
  Mutex mutex_;
  Descriptor file_ GUARDED_BY(mutex_){-1};
  std::uint64_t records_ GUARDED_BY(mutex_) = 0;  // in the file
};

}  // namespace latchkey::view

#pragma once

// One replica, assembled: what `latchkey tokens` puts HTTP in front of, and the Node addon JavaScript.
//
//   feed → snapshot file → projector → view → access check → limiter
//                              └ reports → registry, so that a change can be confirmed as enforced

#include <atomic>
#include <chrono>
#include <memory>
#include <string_view>

#include "access/access_check.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "config/settings.hpp"
#include "data_dir/data_dir.hpp"
#include "feed/snapshot_file/snapshot_file_feed.hpp"
#include "limit/rate_limiter.hpp"
#include "replica/report_loop.hpp"
#include "view/digest_check.hpp"
#include "view/memo_log.hpp"
#include "view/projector.hpp"
#include "view/view.hpp"

namespace latchkey {

/// Why there is no replica: what was being opened, for the operator, and what went wrong.
struct ReplicaError {
  std::string_view opening;
  Error error;
};

/// open(), start(), then answer requests from any thread, then stop(); the access check and the limiter may be asked
/// between start() and stop() only.
class Replica {
 public:
  /// Claims the data directory; ErrorCode::conflict where another process has it for longer than `patience`. `metrics`
  /// is rendered while the replica lives only.
  static Result<std::unique_ptr<Replica>, ReplicaError> open(const config::Settings& settings, Clock& clock,
                                                             Metrics& metrics, std::chrono::milliseconds patience);
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  void start();
  /// Reports that this replica has stopped, answers requests that still wait for the limiter, and leaves its files
  /// whole. May be called twice.
  void stop();

  const data_dir::DataDir& data() const { return data_; }
  const view::View& view() const { return view_; }
  view::Projector& projector() { return projector_; }
  const access::AccessCheck& check() const { return check_; }
  limit::RateLimiter& limiter() { return *limiter_; }
  const view::DigestCheck& digests() const { return digest_check_; }

 private:
  struct Opened;
  bool holds_directory();
  Replica(Opened opened, const config::Settings& settings, Clock& clock, Metrics& metrics);

  SystemRandom random_;
  const data_dir::DataDir data_;
  data_dir::RunLock claim_;
  std::unique_ptr<limit::RateLimiter> limiter_;
  const std::unique_ptr<feed::ChangeFeed> feed_;
  const std::unique_ptr<replica::ReplicaReporter> reporter_;
  const std::unique_ptr<feed::DigestSource> digests_;
  view::View view_;
  view::DigestCheck digest_check_;
  feed::SnapshotFileFeed kept_feed_;
  const std::unique_ptr<view::MemoLog> memos_;  // null: they cannot be kept
  view::ServingGate gate_;
  replica::SuccessorState left_;
  replica::ReportLoop reports_;
  view::Projector projector_;
  const access::AccessCheck check_;
  bool running_ = false;
};

}  // namespace latchkey

#pragma once

// The request log: JSON lines, written off the request path.
//
//   {"time":"2026-01-31T12:00:00.000Z","keyId":"0198…","userId":"alice","method":"GET","path":"/v1/tokens",
//    "outcome":"admitted","status":200,"latencyMicros":42}
//
//   keyId, userId   null where no signature has proved the key
//   outcome         "admitted", "plan", or the refusal's name
//   path            without its query, at most 256 bytes; what could be a token is "[redacted]"
//
// These follow where there is something to say:
//
//   clockMillis     of the boot clock, right after the decision: what windows of the local limiter are counted by
//   client          the address that it came from (LATCHKEY_CLIENT_ADDRESS)
//   plan, cost      of the request; cost where it is not 1
//   originalMethod, originalPath    of the request that a proxy asked about; without its query
//   proxyRequestId, traceparent     X-Request-Id and traceparent (W3C Trace Context) as they came, from whomever
//
// A refused request has an id, and what decided:
//
//   requestId       as Latchkey-Request-Id has it
//   position        of the view that it was decided by
//   rule            the name of the rule that was for it
//   limits          the names of those that refuse
//   retryAfter      seconds, as in the answer
//
//   request threads → lanes (bounded buffers, one lock each that is nearly never contended) → writer thread → LogSink

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/condition.hpp"
#include "base/ip_address.hpp"
#include "key/key_id.hpp"
#include "key/position.hpp"
#include "key/request_id.hpp"
#include "report/log_file.hpp"

namespace latchkey::report {

constexpr std::size_t max_logged_path_bytes = 256;

/// What decided a refusal.
struct RefusedRequest {
  RequestId id;
  Position position;
  std::string_view rule;                       // empty: none
  std::span<const std::string_view> limits{};  // that refuse
  std::uint32_t retry_after_seconds = 0;       // 0: the answer does not say
};

/// Views need to live until record() returns, but for the literals.
struct RequestRecord {
  UnixMillis time;
  std::int64_t clock_millis = 0;  // of the boot clock; 0: not known
  std::optional<KeyId> key_id;
  std::string_view user_id;  // empty: unknown
  std::string_view method;   // method and outcome are literals: their text is not copied
  std::string_view path;
  std::string_view outcome;
  int status = 0;
  std::uint32_t latency_micros = 0;
  std::uint32_t cost = 1;
  std::optional<IpAddress> client{};  // nullopt: unknown
  std::string_view plan{};            // empty: none, as with all that follow
  std::string_view original_method{};
  std::string_view original_target{};  // its query is not written
  std::string_view proxy_request_id{};
  std::string_view traceparent{};
  const RefusedRequest* refused = nullptr;
};

struct RequestLogConfig {
  std::size_t lane_bytes = 1024 * 1024;  // waiting at most, a lane; 16 lanes
  std::chrono::milliseconds interval{25};
};

class RequestLog {
 public:
  /// Starts the writer thread, which owns `sink`.
  explicit RequestLog(std::unique_ptr<LogSink> sink, RequestLogConfig config = {});
  /// Writes what waits, then ends.
  ~RequestLog();
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;

  /// Any thread; allocates nothing and waits for no disk. A record that finds its lane full is dropped and counted.
  void record(const RequestRecord& record);
  /// Writes what was recorded before the call. Any thread.
  void flush();
  /// On SIGHUP: what is recorded from now on goes to the file that the path names by then. Any thread.
  void reopen() { reopen_ = true; }

  std::uint64_t written() const { return written_.load(std::memory_order_relaxed); }
  /// Lanes full, or the sink failed.
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct alignas(64) Lane {
    Mutex mutex;
    std::vector<char> waiting GUARDED_BY(mutex);
  };

  void run();
  void drain();
  void write(std::string_view lines, std::uint64_t count);

  const RequestLogConfig config_;
  const std::unique_ptr<LogSink> sink_;
  std::array<Lane, 16> lanes_;
  std::vector<char> taken_;  // the writer's
  std::vector<char> lines_;  // the writer's
  bool failing_ = false;     // the writer's: said once, not at each batch
  std::atomic<bool> reopen_{false};
  std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> dropped_{0};

  Mutex mutex_;
  Condition changed_;
  std::uint64_t flushes_asked_ GUARDED_BY(mutex_) = 0;
  std::uint64_t flushes_done_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

/// The path as it is logged, in `out`: bounded, and each segment that is longer than 64 bytes or begins as our tokens
/// do replaced. Returns the number of bytes.
std::size_t redact_path(std::string_view path, std::array<char, max_logged_path_bytes>& out);

}  // namespace latchkey::report

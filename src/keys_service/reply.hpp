#pragma once

// The duty to answer one request, with what goes along: it is counted, timed, and awaited by the service's destructor.

#include <memory>
#include <string_view>

#include "base/clock.hpp"
#include "base/condition.hpp"
#include "base/metrics.hpp"
#include "http/exchange.hpp"

namespace latchkey::keys_service {

/// How many requests are being worked on.
class InFlight {
 public:
  class Token {
   public:
    explicit Token(InFlight& owner);
    ~Token();
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;

   private:
    InFlight& owner_;
  };
  void wait_for_none();

 private:
  Mutex mutex_;
  Condition none_;
  std::size_t count_ GUARDED_BY(mutex_) = 0;
};

/// One route's counters.
class RouteMetrics {
 public:
  RouteMetrics(Metrics& metrics, std::string_view method, std::string_view pattern);
  void count(int status, Duration took);

 private:
  Counter* classes_[5];  // 1xx to 5xx
  Histogram* seconds_;
};

/// Move-only; any thread; send() or stream() once. Dropped without an answer it becomes a 500.
class Reply {
 public:
  Reply(http::Later later, RouteMetrics& metrics, const Clock& clock, InFlight& in_flight);
  void send(http::Response response);
  std::shared_ptr<http::Stream> stream(http::Response head);

 private:
  std::unique_ptr<InFlight::Token> token_;  // first: goes last
  http::Later later_;
  RouteMetrics* metrics_;
  const Clock* clock_;
  BootTime started_;
};

}  // namespace latchkey::keys_service

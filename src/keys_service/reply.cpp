#include "keys_service/reply.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace latchkey::keys_service {

InFlight::Token::Token(InFlight& owner) : owner_(owner) {
  const MutexLock lock(owner_.mutex_);
  ++owner_.count_;
}

InFlight::Token::~Token() {
  const MutexLock lock(owner_.mutex_);
  if (--owner_.count_ == 0) owner_.none_.notify_all();
}

void InFlight::wait_for_none() {
  const MutexLock lock(mutex_);
  while (count_ != 0) none_.wait(mutex_);
}

RouteMetrics::RouteMetrics(Metrics& metrics, std::string_view method, std::string_view pattern) {
  const std::string route = fmt::format("method=\"{}\",route=\"{}\"", method, pattern);
  for (int i = 0; i < 5; ++i) {
    classes_[i] = &metrics.add_counter("latchkey_keys_requests_total", "Requests by route and class of status",
                                       fmt::format("{},status=\"{}xx\"", route, i + 1));
  }
  seconds_ = &metrics.add_histogram("latchkey_keys_request_seconds", "From the request's arrival to its answer",
                                    {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5}, route);
}

void RouteMetrics::count(int status, Duration took) {
  classes_[std::clamp(status / 100, 1, 5) - 1]->add();
  seconds_->observe(std::chrono::duration<double>(took).count());
}

Reply::Reply(http::Later later, RouteMetrics& metrics, const Clock& clock, InFlight& in_flight)
    : token_(std::make_unique<InFlight::Token>(in_flight)),
      later_(std::move(later)),
      metrics_(&metrics),
      clock_(&clock),
      started_(clock.boot()) {}

void Reply::send(http::Response response) {
  metrics_->count(response.status, clock_->boot() - started_);
  later_.answer(std::move(response));
}

std::shared_ptr<http::Stream> Reply::stream(http::Response head) {
  metrics_->count(head.status, clock_->boot() - started_);
  return later_.stream(std::move(head));
}

}  // namespace latchkey::keys_service

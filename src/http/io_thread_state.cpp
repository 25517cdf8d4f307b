#include "http/io_thread_state.hpp"

#include <utility>

namespace latchkey::http {
namespace {

CodecLimits limits_of(const ServerConfig& config) {
  CodecLimits limits;
  limits.max_head_bytes = config.max_head_bytes;
  limits.max_body_bytes = config.max_body_bytes;
  return limits;
}

}  // namespace

IoThreadState::IoThreadState(const ServerConfig& c, Handler& h, std::atomic<unsigned>& open, unsigned i,
                             std::unique_ptr<Poller> p)
    : config(c),
      handler(h),
      connections_open(open),
      index(i),
      poller(std::move(p)),
      inputs(limits_of(c), [&h](const Request& head) { return h.reads_body(head); }) {}

}  // namespace latchkey::http

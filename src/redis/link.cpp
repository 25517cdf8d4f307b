#include "redis/link.hpp"

#include "base/log.hpp"

namespace latchkey::redis {

using namespace std::chrono_literals;

namespace {

constexpr Duration look_every = 2s;
constexpr Duration look_after_silence = 10s;
constexpr Duration doubt_every = 200ms;  // a primary without its replicas goes on saying so

}  // namespace

Result<std::unique_ptr<Connection>> Link::open() {
  if (address_.sentinels.empty()) return Connection::open(address_, timeouts_);
  auto opened = sentinels_.connect();
  if (!opened) return opened;
  next_look_ = clock_.boot() + look_every;
  const Endpoint& primary = (*opened)->server();
  if (last_primary_ && *last_primary_ != primary) {
    log_warning("redis: the primary {} is {} now, and was {}", address_.primary, primary.to_string(),
                last_primary_->to_string());
  }
  last_primary_ = primary;
  return opened;
}

/// A primary that was cut off, and that we still reach, goes on answering; the Sentinels have another by then. While no
/// Sentinel answers, the one that is known serves.
bool Link::leads_to_primary() {
  if (address_.sentinels.empty()) return true;
  if (connection_->demoted() && clock_.boot() >= next_doubt_) {
    next_doubt_ = clock_.boot() + doubt_every;
    sentinels_.doubt();
    return false;
  }
  if (clock_.boot() < next_look_) return true;
  const auto primary = sentinels_.primary();
  next_look_ = clock_.boot() + (primary ? look_every : look_after_silence);
  return !primary || *primary == connection_->server();
}

Result<Connection*> Link::get() {
  if (connection_ && !connection_->broken() && leads_to_primary()) return connection_.get();
  connection_.reset();
  if (!attempt_.may_try(clock_.boot())) return last_failure_;
  auto opened = open();
  if (!opened) {
    attempt_.failed(clock_.boot());
    last_failure_ = opened.error();
    return last_failure_;
  }
  attempt_.succeeded();
  ++generation_;
  connection_ = std::move(*opened);
  return connection_.get();
}

}  // namespace latchkey::redis

#include "redis/link.hpp"

namespace latchkey::redis {

Result<Connection*> Link::get() {
  if (connection_ && !connection_->broken()) return connection_.get();
  connection_.reset();
  if (!attempt_.may_try(clock_.boot())) return last_failure_;
  auto opened = Connection::open(address_, timeouts_);
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

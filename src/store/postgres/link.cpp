#include "store/postgres/link.hpp"

namespace latchkey::store::postgres {

Result<Connection*> Link::get(Connection::Time deadline) {
  if (connection_) return connection_.get();
  if (!attempt_.may_try(std::chrono::steady_clock::now())) return last_failure_;
  auto opened = Connection::open(url_, server_, deadline);
  if (opened && prepare_) {
    if (auto prepared = prepare_(**opened); !prepared) opened = prepared.error();
  }
  if (!opened) {
    attempt_.failed(std::chrono::steady_clock::now());
    last_failure_ = opened.error();
    return last_failure_;
  }
  attempt_.succeeded();
  connection_ = std::move(*opened);
  return connection_.get();
}

void Link::drop_if_lost() {
  if (connection_ && connection_->is_lost()) connection_.reset();
}

}  // namespace latchkey::store::postgres

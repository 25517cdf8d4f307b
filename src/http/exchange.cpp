#include "http/exchange.hpp"

#include "http/refusal.hpp"

namespace latchkey::http {

Later::~Later() {
  if (sink_) sink_->answer(to_response(Refusal{RefusalKind::internal_error, {}}));
}

}  // namespace latchkey::http

#include "tokens_service/holder_requests.hpp"

namespace latchkey::tokens_service::routes {

void authorize(HolderRequests& requests, Call& call, const access::Holder& holder, HeaderLines& lines) {
  call.anonymous ? lines.no_identity()
                 : lines.identity(holder.user_id(), holder.key_id, holder.plan(),
                                  holder.scopes ? std::string_view(*holder.scopes) : "");
  requests.answer(call, holder, {200, {}, lines.text(), {}});
}

}  // namespace latchkey::tokens_service::routes

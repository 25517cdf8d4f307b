#include "tokens_service/holder_requests.hpp"

namespace latchkey::tokens_service::routes {

void list_tokens(HolderRequests& requests, Call& call, const access::Holder& holder, HeaderLines& lines) {
  const auto catalog = requests.parts().catalog.current();
  requests.answer(call, holder, {200, "application/json", lines.text(), catalog->list_json()});
}

}  // namespace latchkey::tokens_service::routes

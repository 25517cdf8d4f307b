#include "http/problem.hpp"
#include "tokens_service/holder_requests.hpp"

namespace latchkey::tokens_service::routes {
namespace {

/// Nearly always as it came: nothing in a symbol needs an escape.
std::string_view find_token(const catalog::Catalog& catalog, std::string_view segment) {
  if (!segment.contains('%')) return catalog.find_json(segment);
  const auto symbol = http::decode_segment(segment);
  return symbol ? catalog.find_json(*symbol) : std::string_view();
}

const http::Response& no_such_token() {
  static const http::Response response =
      http::to_response({"not-found", "Not found", 404, "The catalog has no token of this symbol."});
  return response;
}

}  // namespace

void get_token(HolderRequests& requests, Call& call, const access::Holder& holder, HeaderLines& lines) {
  const auto catalog = requests.parts().catalog.current();
  const std::string_view found = find_token(*catalog, call.request->params[0]);
  if (!found.empty()) return requests.answer(call, holder, {200, "application/json", lines.text(), found});
  const auto& missing = no_such_token();
  requests.answer(call, holder, {missing.status, missing.content_type, lines.text(), missing.body});
}

}  // namespace latchkey::tokens_service::routes

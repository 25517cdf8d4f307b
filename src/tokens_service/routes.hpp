#pragma once

// The routes of Token Information. One route, one function, one file under routes/, one row of the table below.

#include <variant>

#include "access/access_check.hpp"
#include "http/exchange.hpp"
#include "pages/pages.hpp"
#include "service/route.hpp"
#include "tokens_service/header_lines.hpp"
#include "tokens_service/parts.hpp"

namespace latchkey::tokens_service {

class HolderRequests;
struct Call;

namespace routes {

// A key holder's: the key is good, and the request is admitted where the row counts it. Or no key was asked for
// (Call::anonymous), and the holder is empty. `lines` are those that the answer has already; the route may add its own.
// It answers once, by HolderRequests::answer().

void list_tokens(HolderRequests& requests, Call& call, const access::Holder& holder, HeaderLines& lines);
void get_token(HolderRequests& requests, Call& call, const access::Holder& holder, HeaderLines& lines);
void authorize(HolderRequests& requests, Call& call, const access::Holder& holder, HeaderLines& lines);
void get_plan(HolderRequests& requests, Call& call, const access::Holder& holder, HeaderLines& lines);

// Anyone's.

void openapi(const Parts& parts, http::Exchange& exchange);
void healthz(const Parts& parts, http::Exchange& exchange);
void readyz(const Parts& parts, http::Exchange& exchange);
void metrics(const Parts& parts, http::Exchange& exchange);
void problem(const Parts& parts, http::Exchange& exchange);

/// A page that is the same for everyone.
template <http::Response (*make)()>
void page(const Parts&, http::Exchange& exchange) {
  exchange.answer(make());
}

}  // namespace routes

/// The sender of the request. A proxy asks with its client's request: the query and the body are not for this service.
enum class Asker : std::uint8_t {
  holder,
  proxy,
  proxy_by_rule  // which names the rule in its path
};

struct HolderRoute {
  Asker asker;
  void (*answer)(HolderRequests&, Call&, const access::Holder&, HeaderLines&);
};
using Page = void (*)(const Parts&, http::Exchange&);
using Route = service::Route<std::variant<HolderRoute, Page>>;

/// Every route of the service. A new one is a line above, a row here and its file.
inline constexpr auto route_table = [] {
  using enum Asker;
  using http::Method;
  using service::Needs;
  return std::to_array<Route>({
      {Method::get, "/v1/tokens", Needs::permit, HolderRoute{holder, routes::list_tokens}},
      {Method::get, "/v1/tokens/{symbol}", Needs::permit, HolderRoute{holder, routes::get_token}},
      {Method::get, "/v1/plan", Needs::key, HolderRoute{holder, routes::get_plan}},
      {Method::other, "/v1/authorize", Needs::permit, HolderRoute{proxy, routes::authorize}},
      {Method::other, "/v1/authorize/*", Needs::permit, HolderRoute{proxy, routes::authorize}},
      {Method::other, "/v1/rules/{name}/authorize", Needs::permit, HolderRoute{proxy_by_rule, routes::authorize}},
      {Method::other, "/v1/rules/{name}/authorize/*", Needs::permit, HolderRoute{proxy_by_rule, routes::authorize}},
      {Method::get, "/openapi.json", Needs::nothing, routes::openapi},
      {Method::get, "/healthz", Needs::nothing, routes::healthz},
      {Method::get, "/readyz", Needs::nothing, routes::readyz},
      {Method::get, "/metrics", Needs::nothing, routes::metrics},
      {Method::get, "/docs", Needs::nothing, routes::page<pages::docs>},
      {Method::get, "/docs.js", Needs::nothing, routes::page<pages::docs_script>},
      {Method::get, "/docs.css", Needs::nothing, routes::page<pages::docs_style>},
      {Method::get, "/problems", Needs::nothing, routes::page<pages::problems>},
      {Method::get, "/problems/{name}", Needs::nothing, routes::problem},
  });
}();

}  // namespace latchkey::tokens_service

#pragma once

// Pages of other origins may use this service from a browser (the Fetch standard, "CORS protocol").
//
//   Origin: https://console.example, which is listed      the answer says that this origin may read it
//   OPTIONS, Origin listed, Access-Control-Request-Method  a preflight: answered here, 204 with what is allowed
//   any other Origin, or none                              as if this were not here, but for `Vary: Origin`
//
// Without credentials: no page can use a cookie or a certificate of its visitor here.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "http/exchange.hpp"

namespace latchkey::http {

struct CorsPolicy {
  std::vector<std::string> origins;  // exact, as parse_origins() gives them; empty: nobody may
  std::string request_headers;       // that a page may send: "Authorization, Content-Type"
  std::string response_headers;      // that a page may read
};

/// "https://console.example, http://localhost:5173", comma separated. An error for what no browser sends as Origin: no
/// scheme, a path, a capital letter, a default port, `*`, `null`.
Result<std::vector<std::string>> parse_origins(std::string_view list);

/// Stands in front of `inner`, which outlives it.
class Cors final : public Handler {
 public:
  Cors(CorsPolicy policy, Handler& inner);
  void handle(Exchange& exchange) override;
  bool reads_body(const Request& head) const override { return inner_.reads_body(head); }
  void expect(std::span<const Request* const> soon) override { inner_.expect(soon); }

 private:
  bool allows(std::string_view origin) const;

  const CorsPolicy policy_;
  Handler& inner_;
};

}  // namespace latchkey::http

#include "http/cors.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "http/ascii.hpp"

namespace latchkey::http {
namespace {

constexpr std::string_view vary = "Vary: Origin\r\n";
constexpr std::string_view methods = "GET, HEAD, POST, PUT, PATCH, DELETE";

class AddingSink final : public Later::Sink {
 public:
  AddingSink(Later inner, std::string lines) : inner_(std::move(inner)), lines_(std::move(lines)) {}
  void answer(Response response) override {
    response.header_lines += lines_;
    inner_.answer(std::move(response));
  }
  std::shared_ptr<Stream> stream(Response head) override {
    head.header_lines += lines_;
    return inner_.stream(std::move(head));
  }

 private:
  Later inner_;
  const std::string lines_;
};

/// Adds header lines to whatever is answered, now or later.
class AddingExchange final : public Exchange {
 public:
  AddingExchange(Exchange& inner, std::string lines) : inner_(inner), lines_(std::move(lines)) {}
  using Exchange::answer;
  const Request& request() const override { return inner_.request(); }
  Request& request() override { return inner_.request(); }
  const Peer& peer() const override { return inner_.peer(); }
  void answer(const Answer& answer) override {
    const std::string lines = std::string(answer.header_lines) + lines_;
    inner_.answer(Answer{answer.status, answer.content_type, lines, answer.body});
  }
  Later defer() override { return Later(std::make_shared<AddingSink>(inner_.defer(), lines_)); }
  unsigned thread_index() const override { return inner_.thread_index(); }

 private:
  Exchange& inner_;
  const std::string lines_;
};

/// As the URL standard writes a host that is not IPv6: lower case, no empty label.
bool is_host(std::string_view host) {
  if (host.starts_with('[')) {
    return host.ends_with(']') && host.size() > 2 && host.find_first_not_of("0123456789abcdef:.", 1) == host.size() - 1;
  }
  return !host.empty() && host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._") == std::string_view::npos;
}

bool is_port(std::string_view port, std::string_view default_port) {
  const bool digits =
      !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
  return digits && port.front() != '0' && port != default_port;
}

/// Empty: a browser may send it.
std::string_view wrong_with(std::string_view origin) {
  if (origin == "*") return "must be named one by one: * would let every page in";
  const bool https = origin.starts_with("https://");
  if (!https && !origin.starts_with("http://")) return "is no origin such as https://console.example";
  const std::string_view authority = origin.substr(https ? 8 : 7);
  const auto behind_host = authority.starts_with('[') ? authority.find(']') : 0;
  const auto colon = behind_host == std::string_view::npos ? behind_host : authority.find(':', behind_host);
  if (!is_host(authority.substr(0, colon)))
    return "needs scheme and host in lower case and nothing behind them, no path";
  if (colon == std::string_view::npos || is_port(authority.substr(colon + 1), https ? "443" : "80")) return {};
  return "needs a port that is not the scheme's own, or none: browsers leave that out";
}

}  // namespace

Result<std::vector<std::string>> parse_origins(std::string_view list) {
  std::vector<std::string> origins;
  while (!list.empty()) {
    std::string_view origin = list.substr(0, list.find(','));
    list.remove_prefix(std::min(origin.size() + 1, list.size()));
    while (origin.starts_with(' ')) origin.remove_prefix(1);
    while (origin.ends_with(' ')) origin.remove_suffix(1);
    if (const auto why = wrong_with(origin); !why.empty()) {
      return Error(ErrorCode::invalid, fmt::format("\"{}\" {}", origin, why));
    }
    origins.emplace_back(origin);
  }
  return origins;
}

Cors::Cors(CorsPolicy policy, Handler& inner) : policy_(std::move(policy)), inner_(inner) {}

bool Cors::allows(std::string_view origin) const {
  return std::find(policy_.origins.begin(), policy_.origins.end(), origin) != policy_.origins.end();
}

void Cors::handle(Exchange& exchange) {
  if (policy_.origins.empty()) return inner_.handle(exchange);
  const Request& request = exchange.request();
  const auto origin = request.header("Origin");
  if (!origin || request.header_count("Origin") != 1 || !allows(*origin)) {
    AddingExchange varied(exchange, std::string(vary));
    return inner_.handle(varied);
  }
  std::string lines = fmt::format("Access-Control-Allow-Origin: {}\r\n{}", *origin, vary);
  if (request.method == Method::options && request.header("Access-Control-Request-Method")) {
    lines += fmt::format(
        "Access-Control-Allow-Methods: {}\r\nAccess-Control-Allow-Headers: {}\r\nAccess-Control-Max-Age: 600\r\n",
        methods, policy_.request_headers);
    return exchange.answer(Answer{204, {}, lines, {}});
  }
  AddingExchange allowed(exchange,
                         lines + fmt::format("Access-Control-Expose-Headers: {}\r\n", policy_.response_headers));
  inner_.handle(allowed);
}

}  // namespace latchkey::http

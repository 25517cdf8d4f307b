#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "http/exchange.hpp"

namespace latchkey::http {

/// Finds the handler by method and path. Patterns: "/items/{id}": a segment in braces matches one non-empty
/// segment and lands in Request::params (at most four). A literal segment wins over a parameter, and either over
/// "/items/*", which matches every path below "/items", "/items/" among them, and not "/items" itself.
/// HEAD falls back to GET. Unknown path: 404 problem. Known path, other method: 405 problem with Allow; OPTIONS on a
/// known path: 204 with Allow. Routes are added before the server starts; handle() then only reads.
class Router final : public Handler {
 public:
  using Route = std::function<void(Exchange&)>;
  Router();
  Router(Router&&) noexcept;
  ~Router() override;
  Router& on(Method method, std::string_view pattern, Route route);
  /// The route for every method.
  Router& on_any(std::string_view pattern, Route route);
  void handle(Exchange& exchange) override;

 private:
  struct Table;
  std::unique_ptr<Table> table_;
};

}  // namespace latchkey::http

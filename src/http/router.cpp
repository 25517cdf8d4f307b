#include "http/router.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "http/refusal.hpp"

namespace latchkey::http {
namespace {

constexpr std::size_t method_count = 8;
constexpr std::size_t index_of(Method method) { return static_cast<std::size_t>(method); }

// What one path pattern leads to.
struct Place {
  std::array<Router::Route, method_count> routes;
  Router::Route any;
  std::string allow;  // the Allow header's value, made when a route is added

  const Router::Route* find(Method method) const {
    if (const auto& exact = routes[index_of(method)]) return &exact;
    if (any) return &any;
    const auto& get = routes[index_of(Method::get)];
    return method == Method::head && get ? &get : nullptr;
  }
  bool used() const { return any || !allow.empty(); }
  void list_methods();
};

void Place::list_methods() {
  allow.clear();
  for (std::size_t i = 0; i < index_of(Method::other); ++i) {
    const auto method = static_cast<Method>(i);
    if (method != Method::options && find(method) == nullptr) continue;
    allow.append(allow.empty() ? "" : ", ").append(to_string(method));
  }
}

// Segment by segment; a literal child is tried before the parameter.
struct Node {
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> literals;  // few entries: a scan beats hashing
  std::unique_ptr<Node> parameter;
  Place place;
  Place below;  // every longer path that nothing else matches
};

using Params = std::array<std::string_view, 4>;

// Takes "/segment" off the front of `path`.
std::string_view take_segment(std::string_view& path) {
  const auto end = std::min(path.find('/', 1), path.size());
  const std::string_view segment = path.substr(1, end - 1);
  path.remove_prefix(end);
  return segment;
}

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

Node* literal_of(const Node& node, std::string_view segment) {
  for (const auto& [name, child] : node.literals) {
    if (name == segment) return child.get();
  }
  return nullptr;
}

const Place* find_place(const Node& node, std::string_view rest, Params& params, std::size_t depth);

const Place* find_child(const Node& node, std::string_view rest, Params& params, std::size_t depth) {
  const std::string_view segment = take_segment(rest);
  if (const Node* literal = literal_of(node, segment)) {
    if (const auto* found = find_place(*literal, rest, params, depth)) return found;
  }
  if (!node.parameter || segment.empty()) return nullptr;
  const auto* found = find_place(*node.parameter, rest, params, depth + 1);
  if (found != nullptr) params[depth] = segment;
  return found;
}

const Place* find_place(const Node& node, std::string_view rest, Params& params, std::size_t depth) {
  if (rest.empty()) return node.place.used() ? &node.place : nullptr;
  const Place* found = find_child(node, rest, params, depth);
  return found == nullptr && node.below.used() ? &node.below : found;
}

Node& child_of(Node& node, std::string_view segment) {
  if (is_parameter(segment)) {
    if (!node.parameter) node.parameter = std::make_unique<Node>();
    return *node.parameter;
  }
  if (Node* literal = literal_of(node, segment)) return *literal;
  return *node.literals.emplace_back(segment, std::make_unique<Node>()).second;
}

void check_pattern(std::string_view pattern) {
  const auto parameters = std::count(pattern.begin(), pattern.end(), '{');
  if (pattern.empty() || pattern.front() != '/' || parameters > static_cast<std::ptrdiff_t>(Params().size())) {
    throw std::invalid_argument("not a route pattern: " + std::string(pattern));
  }
}

void answer_other_method(Exchange& exchange, const Place& place) {
  const bool asks = exchange.request().method == Method::options;
  Response response = asks ? Response{204, {}, {}, {}} : to_response(Refusal{RefusalKind::method_not_allowed, {}});
  exchange.answer(response.with_header("Allow", place.allow));
}

}  // namespace

struct Router::Table {
  Node root;

  Place& place(std::string_view pattern) {
    check_pattern(pattern);
    const bool below = pattern.ends_with("/*");
    Node* node = &root;
    std::string_view rest = below ? pattern.substr(0, pattern.size() - 2) : pattern;
    while (!rest.empty()) node = &child_of(*node, take_segment(rest));
    return below ? node->below : node->place;
  }

  const Place* find(Request& request) const {
    if (request.path.empty() || request.path.front() != '/') return nullptr;
    return find_place(root, request.path, request.params, 0);
  }
};

Router::Router() : table_(std::make_unique<Table>()) {}
Router::Router(Router&&) noexcept = default;
Router::~Router() = default;

Router& Router::on(Method method, std::string_view pattern, Route route) {
  Place& place = table_->place(pattern);
  place.routes[index_of(method)] = std::move(route);
  place.list_methods();
  return *this;
}

Router& Router::on_any(std::string_view pattern, Route route) {
  Place& place = table_->place(pattern);
  place.any = std::move(route);
  place.list_methods();
  return *this;
}

void Router::handle(Exchange& exchange) {
  Request& request = exchange.request();
  if (request.path == "*") return exchange.answer(Response{204, {}, {}, {}});  // OPTIONS *: a ping
  const Place* place = table_->find(request);
  if (place == nullptr) return exchange.answer(to_response(Refusal{RefusalKind::not_found, {}}));
  const Route* route = place->find(request.method);
  route != nullptr ? (*route)(exchange) : answer_other_method(exchange, *place);
}

}  // namespace latchkey::http

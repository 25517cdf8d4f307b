#include "redis/sentinels.hpp"

#include <fmt/format.h>

#include "redis/waiting.hpp"

namespace latchkey::redis {
namespace {

using std::chrono::steady_clock;

std::optional<Endpoint> endpoint_in(const Reply& reply) {
  if (!reply.is_array() || reply.elements.size() != 2) return std::nullopt;
  Endpoint endpoint{reply.elements[0].text, 0};
  const bool good = read_number(reply.elements[1], endpoint.port) && endpoint.port != 0 && !endpoint.host.empty();
  return good ? std::optional(std::move(endpoint)) : std::nullopt;
}

bool is_primary(const Reply& role) {
  return role.is_array() && !role.elements.empty() && role.elements[0].text == "master";
}

}  // namespace

Result<Endpoint> Sentinels::ask() {
  if (!connection_ || connection_->broken()) {
    auto opened = Connection::open(address_.sentinel(asked_), timeouts_);
    if (!opened) return opened.error();
    connection_ = std::move(*opened);
  }
  const auto reply = connection_->run({"SENTINEL", "get-master-addr-by-name", address_.primary});
  if (!reply) return reply.error();
  const std::string name = address_.sentinels[asked_].to_string();
  if (reply->is_nil()) {
    return unreachable(
        fmt::format("redis: the Sentinel {} knows no primary named {}; its SENTINEL MASTERS lists the names", name,
                    address_.primary));
  }
  auto endpoint = endpoint_in(*reply);
  if (!endpoint) return unreachable(fmt::format("redis: the Sentinel {} gave an answer of another shape", name));
  return *endpoint;
}

Result<Endpoint> Sentinels::primary() {
  const auto begun = steady_clock::now();
  for (std::size_t tried = 1;; ++tried) {
    auto endpoint = ask();
    if (endpoint) return endpoint;
    doubt();
    if (tried >= address_.sentinels.size() || steady_clock::now() - begun >= timeouts_.connect) return endpoint;
  }
}

Result<std::unique_ptr<Connection>> Sentinels::connect() {
  auto endpoint = primary();
  if (!endpoint) return endpoint.error();
  auto opened = Connection::open(address_.at(*endpoint), timeouts_);
  if (!opened) {
    doubt();
    return opened;
  }
  const auto role = (*opened)->run({"ROLE"});
  if (!role) return role.error();
  if (!is_primary(*role)) {
    doubt();
    return unreachable(fmt::format("redis {}: not the primary {}, although a Sentinel says so: a failover is under way",
                                   endpoint->to_string(), address_.primary));
  }
  return opened;
}

void Sentinels::doubt() {
  connection_.reset();
  asked_ = (asked_ + 1) % address_.sentinels.size();
}

}  // namespace latchkey::redis

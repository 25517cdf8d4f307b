#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "access/access_check.hpp"
#include "http/exchange.hpp"
#include "tokens_service/header_lines.hpp"
#include "tokens_service/limit_refusal.hpp"
#include "tokens_service/routes.hpp"

namespace latchkey::tokens_service {

/// A key holder's request on its way. Lives on the stack while it can be answered at once; what has to wait is moved to
/// the heap with its Later.
struct Call {
  http::Exchange* exchange;  // until it was deferred
  const http::Request* request;
  const Route* route;
  Deny deny = Deny::as_is;
  const rules::Rule* rule = nullptr;  // of the request; none: a key is enough
  bool anonymous = false;             // let in without a key, by a public rule or as a preflight
  std::string_view outcome{};         // of one that is let in, for the log
  std::string_view token{};
  BootTime started{};
  Position position{};  // of the view, read before the check: the answer is at least as new
  std::optional<http::Later> later{};
  http::Peer peer{};  // once it was deferred
};

inline Asker asker_of(const Call& call) { return std::get<HolderRoute>(call.route->handler).asker; }
inline bool is_asked_by_proxy(const Call& call) { return asker_of(call) != Asker::holder; }

/// The holder of the request's place may answer it, once.
inline void send(Call& call, const http::Answer& answer) {
  if (!call.later) return call.exchange->answer(answer);  // which adds the position
  const auto position = HeaderLines().position(call.position);
  http::Response response{answer.status, std::string(answer.content_type), std::string(position.text()),
                          std::string(answer.body)};
  response.header_lines += answer.header_lines;
  call.later->answer(std::move(response));
}

inline const http::Peer& peer_of(const Call& call) {
  return call.exchange == nullptr ? call.peer : call.exchange->peer();
}

/// The call, able to outlive its handler.
inline std::shared_ptr<Call> keep(Call& call) {
  if (!call.later) call.later.emplace(call.exchange->defer());
  if (call.exchange != nullptr) call.peer = call.exchange->peer();
  call.exchange = nullptr;
  return std::make_shared<Call>(std::move(call));
}

}  // namespace latchkey::tokens_service

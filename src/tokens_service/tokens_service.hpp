#pragma once

// Token Information over HTTP: JSON ↔ access check. routes.hpp has the table of its routes.
//
// A counted request:
//
//   credentials ─> Latchkey-At-Least? ─> access check ─> signature? ─> limiter ─> answer
//                     │ waits for the view    │ refusal       │ worker      │ round trip
//
// Whatever waits gives its I/O thread back. A remembered token's request allocates nothing.

#include <chrono>
#include <memory>
#include <span>

#include "http/exchange.hpp"
#include "tokens_service/parts.hpp"
#include "tokens_service/signature_queue.hpp"

namespace latchkey::tokens_service {

struct TokensServiceConfig {
  /// The longest that Latchkey-At-Least may wait.
  std::chrono::milliseconds longest_wait{2000};
  SignatureQueueConfig signatures{};
};

/// handle() is called by any number of I/O threads. Before it is destroyed the server and the projector have stopped:
/// both may still owe it a call.
class TokensService final : public http::Handler {
 public:
  explicit TokensService(const Parts& parts, TokensServiceConfig config = {});
  ~TokensService() override;

  void handle(http::Exchange& exchange) override;
  void expect(std::span<const http::Request* const> soon) override;
  /// A proxy asks with its client's request: the body is not for us, however long.
  bool reads_body(const http::Request& head) const override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace latchkey::tokens_service

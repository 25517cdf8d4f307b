#pragma once

#include "http/exchange.hpp"
#include "tokens_service/header_lines.hpp"

namespace latchkey::tokens_service {

/// Adds `Latchkey-Position` to whatever is answered at once, the router's own 404 and 405 included.
class PositionedExchange final : public http::Exchange {
 public:
  PositionedExchange(http::Exchange& inner, Position position) : inner_(inner), position_(position) {}
  using http::Exchange::answer;

  const http::Request& request() const override { return inner_.request(); }
  http::Request& request() override { return inner_.request(); }
  const http::Peer& peer() const override { return inner_.peer(); }
  void answer(const http::Answer& answer) override {
    HeaderLines lines;
    lines.position(position_).lines(answer.header_lines);
    inner_.answer(http::Answer{answer.status, answer.content_type, lines.text(), answer.body});
  }
  http::Later defer() override { return inner_.defer(); }
  unsigned thread_index() const override { return inner_.thread_index(); }

 private:
  http::Exchange& inner_;
  const Position position_;
};

}  // namespace latchkey::tokens_service

#pragma once

// Answers as octets (RFC 9112). Appends to a string that keeps its capacity: no allocation in the steady state.

#include <cstdint>
#include <string>
#include <string_view>

#include "http/head_parser.hpp"
#include "http/message.hpp"

namespace latchkey::http {

enum class BodyPart : std::uint8_t { send, leave_out };  // left out: the answer to HEAD

struct Framing {
  Version version = Version::http11;  // the request's
  Persistence persistence = Persistence::keep_alive;
  BodyPart body = BodyPart::send;
};

/// The whole answer. `date_line` is a complete Date header line.
void append_answer(std::string& out, const Answer& answer, const Framing& framing, std::string_view date_line);

/// The head of an answer that comes in pieces; its body is ignored. Pieces are chunks in HTTP/1.1, bare in 1.0.
void append_stream_head(std::string& out, const Answer& head, const Framing& framing, std::string_view date_line);
void append_piece(std::string& out, std::string_view piece, Version version);
void append_stream_end(std::string& out, Version version);

inline constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace latchkey::http

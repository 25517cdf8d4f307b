#include "http/encode.hpp"

#include <array>
#include <charconv>

namespace latchkey::http {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

void append_number(std::string& out, std::size_t number, int base = 10) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  out.append(digits.data(), end);
}

void append_status_line(std::string& out, int status) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(status));
  out.append(" ").append(reason_of(status)).append("\r\n");
}

// HTTP/1.1 persists unless told otherwise, HTTP/1.0 the other way round.
void append_connection(std::string& out, const Framing& framing) {
  if (framing.persistence == Persistence::close) {
    out += "Connection: close\r\n";
  } else if (framing.version == Version::http10) {
    out += "Connection: keep-alive\r\n";
  }
}

void append_common(std::string& out, const Answer& answer, const Framing& framing, std::string_view date_line) {
  append_status_line(out, answer.status);
  out += date_line;
  if (!answer.content_type.empty()) out.append("Content-Type: ").append(answer.content_type).append("\r\n");
  append_connection(out, framing);
  out += answer.header_lines;
}

}  // namespace

void append_answer(std::string& out, const Answer& answer, const Framing& framing, std::string_view date_line) {
  const bool bodiless = answer.status == 204 || answer.status == 304;
  append_common(out, answer, framing, date_line);
  if (!bodiless) {
    out += "Content-Length: ";
    append_number(out, answer.body.size());
    out += "\r\n";
  }
  out += "\r\n";
  if (!bodiless && framing.body == BodyPart::send) out += answer.body;
}

void append_stream_head(std::string& out, const Answer& head, const Framing& framing, std::string_view date_line) {
  append_common(out, head, framing, date_line);
  if (framing.version == Version::http11) out += "Transfer-Encoding: chunked\r\n";
  out += "\r\n";
}

void append_piece(std::string& out, std::string_view piece, Version version) {
  if (piece.empty()) return;  // an empty chunk would end the body
  if (version == Version::http10) {
    out += piece;
    return;
  }
  append_number(out, piece.size(), 16);
  out.append("\r\n").append(piece).append("\r\n");
}

void append_stream_end(std::string& out, Version version) {
  if (version == Version::http11) out += "0\r\n\r\n";
}

}  // namespace latchkey::http

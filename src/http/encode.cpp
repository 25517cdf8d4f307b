#include "http/encode.hpp"

#include <utility>

#include "base/unchecked_writer.hpp"

namespace latchkey::http {
namespace {

constexpr std::pair<int, std::string_view> reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

std::string_view reason_of(int status) {
  for (const auto& [known, reason] : reasons) {
    if (known == status) return reason;
  }
  return "Status";
}

/// Appends what `write` puts, `most` octets at most.
template <class Write>
void append(std::string& out, std::size_t most, Write write) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + most, [&](char* data, std::size_t) {
    UncheckedWriter pen(data + before);
    write(pen);
    return pen.at() - data;
  });
}

void put_status_line(UncheckedWriter& pen, int status) {
  if (status == 200) {
    pen.put("HTTP/1.1 200 OK\r\n");
    return;
  }
  pen.put("HTTP/1.1 ").number(static_cast<std::size_t>(status)).put(" ").put(reason_of(status)).put("\r\n");
}

// HTTP/1.1 persists unless told otherwise, HTTP/1.0 the other way round.
void put_connection(UncheckedWriter& pen, const Framing& framing) {
  if (framing.persistence == Persistence::close) {
    pen.put("Connection: close\r\n");
  } else if (framing.version == Version::http10) {
    pen.put("Connection: keep-alive\r\n");
  }
}

void put_common(UncheckedWriter& pen, const Answer& answer, const Framing& framing, std::string_view date_line) {
  put_status_line(pen, answer.status);
  pen.put(date_line);
  if (!answer.content_type.empty()) pen.put("Content-Type: ").put(answer.content_type).put("\r\n");
  put_connection(pen, framing);
  pen.put(answer.header_lines);
}

/// Of a head: what is not the answer's own fits into 256 octets.
std::size_t most_octets(const Answer& answer, std::string_view date_line) {
  return 256 + date_line.size() + answer.content_type.size() + answer.header_lines.size();
}

}  // namespace

void append_answer(std::string& out, const Answer& answer, const Framing& framing, std::string_view date_line) {
  const bool bodiless = answer.status == 204 || answer.status == 304;
  append(out, most_octets(answer, date_line) + answer.body.size(), [&](UncheckedWriter& pen) {
    put_common(pen, answer, framing, date_line);
    if (!bodiless) pen.put("Content-Length: ").number(answer.body.size()).put("\r\n");
    pen.put("\r\n");
    if (!bodiless && framing.body == BodyPart::send) pen.put(answer.body);
  });
}

void append_stream_head(std::string& out, const Answer& head, const Framing& framing, std::string_view date_line) {
  append(out, most_octets(head, date_line), [&](UncheckedWriter& pen) {
    put_common(pen, head, framing, date_line);
    if (framing.version == Version::http11) pen.put("Transfer-Encoding: chunked\r\n");
    pen.put("\r\n");
  });
}

void append_piece(std::string& out, std::string_view piece, Version version) {
  if (piece.empty()) return;  // an empty chunk would end the body
  append(out, piece.size() + UncheckedWriter::most_digits + 4, [&](UncheckedWriter& pen) {
    if (version == Version::http10) {
      pen.put(piece);
    } else {
      pen.number(piece.size(), 16).put("\r\n").put(piece).put("\r\n");
    }
  });
}

void append_stream_end(std::string& out, Version version) {
  if (version == Version::http11) out += "0\r\n\r\n";
}

}  // namespace latchkey::http

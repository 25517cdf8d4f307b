#pragma once

// HTTP messages as handlers see them (RFC 9110). This folder knows no word of the domain.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latchkey::http {

enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options, other };

std::string_view to_string(Method method);

struct Header {
  std::string_view name;   // as sent; compare without case
  std::string_view value;  // without surrounding white space
};

/// One request. Every view points into the connection's buffer and stays valid until the request has been answered,
/// by whichever thread: a connection neither reads nor parses on while an answer is owed.
struct Request {
  Method method = Method::get;
  std::string_view method_text;  // as sent, of Method::other too
  std::string_view target;       // as sent, e.g. "/v1/keys?limit=10"
  std::string_view path;         // up to '?', not percent-decoded
  std::string_view query;        // after '?', or empty
  std::span<const Header> headers;
  std::string_view body;                     // whole, dechunked
  std::array<std::string_view, 4> params{};  // what the route's {…} segments matched, in order, not decoded

  /// The first header of that name (any case), or nullopt.
  std::optional<std::string_view> header(std::string_view name) const;
  /// How many headers of that name came.
  std::size_t header_count(std::string_view name) const;
};

/// One of Request::params percent-decoded. nullopt where an escape is malformed. The literal segments of a route have
/// one spelling only, so that a proxy's rule for a path cannot be passed by another.
std::optional<std::string> decode_segment(std::string_view segment);

/// The query's parameters in order, percent-decoded ('+' is a space). nullopt where an escape is malformed.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

/// An answer by reference: all views need to live only until the call that takes it returns. The server adds Date,
/// Content-Length and Connection, and leaves the body out for HEAD, 204 and 304.
struct Answer {
  int status = 200;
  std::string_view content_type;  // empty: no such header
  std::string_view header_lines;  // complete lines, each "Name: value\r\n"; the caller vouches for them
  std::string_view body;
};

/// An answer that owns its parts, for routes where convenience counts more than an allocation.
struct Response {
  int status = 200;
  std::string content_type;
  std::string header_lines;  // complete lines, each "Name: value\r\n"
  std::string body;

  /// Adds one header. A value with CR, LF or NUL throws std::invalid_argument: it would split the message.
  Response& with_header(std::string_view name, std::string_view value);
  Answer view() const { return {status, content_type, header_lines, body}; }
};

Response json_response(int status, std::string body);

}  // namespace latchkey::http

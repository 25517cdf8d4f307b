#pragma once

// One HTTP request at a time over libcurl, bounded in time and size. One thread.

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/ip_address.hpp"
#include "base/secret.hpp"

namespace latchkey::http_client {

constexpr std::size_t max_reply_bytes = 16U << 20U;

struct Target {
  std::string url;            // "http://host:port/path"
  std::string unix_socket{};  // of this file instead of over TCP; the host of `url` is a word for the Host header
  std::string to_string() const { return unix_socket.empty() ? url : "unix:" + unix_socket; }
};

/// A path of a service at "http://host:port", or at "unix:/file", which speaks plain HTTP.
Target target_at(std::string_view service, std::string_view path);

struct HttpRequest {
  std::string method = "GET";
  Target target;
  Secret bearer;                     // empty: no Authorization
  std::vector<std::string> headers;  // "Name: value"
  std::optional<std::string> body;   // JSON
  // A PEM file: the server must hold its key, and is asked for nothing else. Empty: the system's authorities, or
  // those in the file SSL_CERT_FILE, must vouch for the host.
  std::string certificate{};
  std::size_t max_bytes = max_reply_bytes;
  // Asked of each address that it would connect to; false: not to this one. No proxy of the environment is used then,
  // as the address would be the proxy's. Empty: any.
  std::function<bool(const IpAddress&)> allowed{};
};

struct HttpReply {
  int status = 0;
  std::string body;                            // of a stream: only where the status is not 200
  std::map<std::string, std::string> headers;  // names in lower case; the last of a name
  std::optional<IpAddress> from{};             // where it was connected to
};

/// ErrorCode::unavailable where no whole reply came within `timeout`. Redirects are not followed: a token goes to the
/// host it was meant for only.
Result<HttpReply> send(const HttpRequest& request, std::chrono::milliseconds timeout = std::chrono::seconds(30));

/// For answers without end: hands each piece over as it comes, until the peer ends, or `piece` returns false. `timeout`
/// is for all of it; 0: none.
Result<HttpReply> follow(const HttpRequest& request, const std::function<bool(std::string_view piece)>& piece,
                         std::chrono::milliseconds timeout = std::chrono::milliseconds(0));

/// Percent-encodes all but RFC 3986's unreserved characters.
std::string url_escape(std::string_view text);

}  // namespace latchkey::http_client

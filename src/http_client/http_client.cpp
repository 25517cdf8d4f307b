#include "http_client/http_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "http_client/pinned_key.hpp"

namespace latchkey::http_client {
namespace {

struct EndCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlPtr = std::unique_ptr<CURL, EndCurl>;
using HeadersPtr = std::unique_ptr<curl_slist, EndCurl>;

struct Receiver {
  CURL* curl;
  HttpReply reply{};
  const std::function<bool(std::string_view)>* piece = nullptr;
  bool stopped = false;
  std::size_t max_bytes = max_reply_bytes;

  bool take(std::string_view data) {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (piece != nullptr && status == 200) return stopped = !(*piece)(data), !stopped;
    reply.body += data;
    return reply.body.size() <= max_bytes;
  }
};

std::size_t on_data(char* data, std::size_t size, std::size_t count, void* receiver) {
  return static_cast<Receiver*>(receiver)->take({data, size * count}) ? size * count : 0;
}

// One line, as "Name: value"; a status line and the empty line at the end have no colon that counts.
std::size_t on_header(char* data, std::size_t size, std::size_t count, void* receiver) {
  const std::string_view line(data, size * count);
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || line.starts_with("HTTP/")) return line.size();
  std::string name(line.substr(0, colon));
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  while (value.ends_with('\n') || value.ends_with('\r')) value.remove_suffix(1);
  static_cast<Receiver*>(receiver)->reply.headers[std::move(name)] = value;
  return line.size();
}

curl_socket_t on_open(void* request, curlsocktype, curl_sockaddr* to) {
  sockaddr_storage address{};
  std::memcpy(&address, &to->addr, std::min<std::size_t>(to->addrlen, sizeof address));
  const auto ip = IpAddress::of(address);
  if (!ip || !static_cast<const HttpRequest*>(request)->allowed(*ip)) return CURL_SOCKET_BAD;
  return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

std::optional<IpAddress> connected_to(CURL* curl) {
  const char* address = nullptr;
  curl_easy_getinfo(curl, CURLINFO_PRIMARY_IP, &address);
  return address == nullptr ? std::nullopt : IpAddress::parse(address);
}

HeadersPtr headers_of(const HttpRequest& request) {
  HeadersPtr list;
  const auto add = [&](const std::string& line) {
    auto* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
  };
  add("Expect:");
  const bool typed = std::any_of(request.headers.begin(), request.headers.end(),
                                 [](const std::string& line) { return line.starts_with("Content-Type:"); });
  if (request.body && !typed) add("Content-Type: application/json");
  if (!request.bearer.empty()) add("Authorization: Bearer " + std::string(request.bearer.reveal()));
  for (const auto& line : request.headers) add(line);
  return list;
}

void configure(CURL* curl, const HttpRequest& request, curl_slist* headers) {
  curl_easy_setopt(curl, CURLOPT_URL, request.target.url.c_str());
  if (!request.target.unix_socket.empty()) {
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, request.target.unix_socket.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "latchkey/" LATCHKEY_VERSION);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
  if (request.allowed) {
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &on_open);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &request);
  }
  if (!request.body) return;
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body->size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body->c_str());
}

Result<void> configure_trust(CURL* curl, const HttpRequest& request) {
  if (const char* authorities = std::getenv("SSL_CERT_FILE")) curl_easy_setopt(curl, CURLOPT_CAINFO, authorities);
  if (request.certificate.empty()) return {};
  const auto pinned = pinned_key(request.certificate);
  if (!pinned) return pinned.error();
  curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, pinned->c_str());
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  return {};
}

Result<HttpReply> perform(const HttpRequest& request, long timeout_ms,
                          const std::function<bool(std::string_view)>* piece) {
  static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
  const CurlPtr curl(curl_easy_init());
  if (global != CURLE_OK || curl == nullptr) return Error(ErrorCode::internal, "libcurl cannot start");
  const HeadersPtr headers = headers_of(request);
  Receiver receiver{.curl = curl.get(), .piece = piece, .max_bytes = request.max_bytes};
  configure(curl.get(), request, headers.get());
  if (const auto trusting = configure_trust(curl.get(), request); !trusting) return trusting.error();
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, timeout_ms);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &on_data);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &receiver);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &receiver);
  const CURLcode done = curl_easy_perform(curl.get());
  if (done != CURLE_OK && !receiver.stopped) {
    const bool too_large = receiver.reply.body.size() > request.max_bytes;
    return Error(ErrorCode::unavailable,
                 fmt::format("no answer from {}: {}", request.target.to_string(),
                             too_large ? fmt::format("it is larger than {} bytes", request.max_bytes)
                                       : curl_easy_strerror(done)));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  receiver.reply.status = static_cast<int>(status);
  receiver.reply.from = connected_to(curl.get());
  return std::move(receiver.reply);
}

}  // namespace

Target target_at(std::string_view service, std::string_view path) {
  constexpr std::string_view scheme = "unix:";
  if (!service.starts_with(scheme)) return {std::string(service) + std::string(path)};
  return {"http://localhost" + std::string(path), std::string(service.substr(scheme.size()))};
}

Result<HttpReply> send(const HttpRequest& request, std::chrono::milliseconds timeout) {
  return perform(request, static_cast<long>(timeout.count()), nullptr);
}

Result<HttpReply> follow(const HttpRequest& request, const std::function<bool(std::string_view)>& piece,
                         std::chrono::milliseconds timeout) {
  return perform(request, static_cast<long>(timeout.count()), &piece);
}

std::string url_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

}  // namespace latchkey::http_client

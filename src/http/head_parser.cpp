#include "http/head_parser.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "http/ascii.hpp"
#include "http/target.hpp"

namespace latchkey::http {
namespace {

namespace beast = boost::beast;
using beast::http::field;
using beast::http::verb;
using boost::system::error_code;

std::string_view to_std(beast::string_view s) { return {s.data(), s.size()}; }

Method to_method(verb v) {
  switch (v) {
    case verb::get:
      return Method::get;
    case verb::head:
      return Method::head;
    case verb::post:
      return Method::post;
    case verb::put:
      return Method::put;
    case verb::patch:
      return Method::patch;
    case verb::delete_:
      return Method::delete_;
    case verb::options:
      return Method::options;
    default:
      return Method::other;
  }
}

bool is_digits(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

constexpr bool is_host_char(char c) {
  return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f &&
         std::string_view("/?#@\\,\"<>").find(c) == std::string_view::npos;
}

// Looked up: searching a list for each character cost as much as the rest of the head.
constexpr auto host_chars = [] {
  std::array<bool, 256> chars{};
  for (int c = 0; c < 256; ++c) chars[static_cast<std::size_t>(c)] = is_host_char(static_cast<char>(c));
  return chars;
}();

// Not the whole grammar of an authority: what would make it mean something else to somebody downstream.
bool is_host(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) { return host_chars[static_cast<unsigned char>(c)]; });
}

// No container of fields: each lands in Head::fields as two views.
class Parser final : public beast::http::basic_parser<true> {
 public:
  Parser(Head& head, std::size_t max_headers) : head_(head), max_headers_(max_headers) {
    header_limit(0xffff'ffffU);  // the codec has measured the head already
    body_limit(boost::none);     // and looks at Content-Length itself
  }
  const std::optional<Refusal>& refusal() const { return refusal_; }
  int hosts() const { return hosts_; }

 private:
  void refuse(RefusalKind kind, std::string_view detail, error_code& ec) {
    refusal_ = Refusal{kind, detail};
    ec = beast::http::error::bad_value;
  }

  void on_request_impl(verb method, beast::string_view, beast::string_view target, int version,
                       error_code& ec) override {
    head_.version = version == 11 ? Version::http11 : Version::http10;
    head_.request.method = to_method(method);
    head_.request.target = to_std(target);
    if (!split_target(head_.request)) refuse(RefusalKind::bad_request, "the request target is not one", ec);
  }

  void on_field_impl(field name, beast::string_view name_text, beast::string_view value_text, error_code& ec) override {
    const std::string_view value = to_std(value_text);
    if (head_.fields.size() == max_headers_) return refuse(RefusalKind::head_too_large, "too many headers", ec);
    head_.fields.push_back({to_std(name_text), value});
    switch (name) {
      case field::host:
        return on_host(value, ec);
      case field::content_length:
        return on_content_length(value, ec);
      case field::transfer_encoding:
        return on_transfer_encoding(value, ec);
      case field::expect:
        return on_expect(value, ec);
      default:
        return;
    }
  }

  void on_host(std::string_view value, error_code& ec) {
    ++hosts_;
    if (!is_host(value)) refuse(RefusalKind::bad_request, "the Host header is not a host", ec);
  }

  // Beast takes lists ("5, 5") and repeated equal lengths; each has been a way to smuggle.
  void on_content_length(std::string_view value, error_code& ec) {
    if (++lengths_ > 1 || !is_digits(value)) {
      refuse(RefusalKind::bad_request, "Content-Length must come once, as one number", ec);
    }
  }

  // Beast takes any coding and then reads the body as the next request.
  void on_transfer_encoding(std::string_view value, error_code& ec) {
    if (!equals_ignoring_case(value, "chunked")) {
      return refuse(RefusalKind::not_implemented, "Transfer-Encoding other than chunked", ec);
    }
    if (head_.version == Version::http10) {
      refuse(RefusalKind::bad_request, "Transfer-Encoding in HTTP/1.0", ec);
    }
  }

  void on_expect(std::string_view value, error_code& ec) {
    if (head_.version == Version::http10) return;  // RFC 9110 section 10.1.1: ignored
    if (!equals_ignoring_case(value, "100-continue")) {
      return refuse(RefusalKind::expectation_failed, "Expect other than 100-continue", ec);
    }
    head_.expects_continue = true;
  }

  void on_header_impl(error_code&) override {}
  void on_response_impl(int, beast::string_view, int, error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, error_code&) override { return 0; }
  void on_finish_impl(error_code&) override {}

  Head& head_;
  std::size_t max_headers_;
  std::optional<Refusal> refusal_;
  int hosts_ = 0;
  int lengths_ = 0;
};

// Whether a request line of three parts ends in a well-formed version that is not ours, such as "HTTP/2.0".
bool names_other_version(std::string_view text) {
  const std::string_view line = text.substr(0, text.find("\r\n"));
  if (line.size() < 9 || std::count(line.begin(), line.end(), ' ') != 2) return false;
  const std::string_view version = line.substr(line.size() - 9);
  return version.substr(0, 6) == " HTTP/" && is_digits(version.substr(6, 1)) && version[7] == '.' &&
         is_digits(version.substr(8)) && version.substr(6) != "1.0" && version.substr(6) != "1.1";
}

Refusal refusal_of(const error_code& ec, std::string_view text) {
  using beast::http::error;
  if (ec == error::bad_version && names_other_version(text)) {
    return {RefusalKind::version_not_supported, "only HTTP/1.1 and HTTP/1.0"};
  }
  if (ec == error::bad_transfer_encoding || ec == error::bad_content_length || ec == error::multiple_content_length) {
    return {RefusalKind::bad_request, "Content-Length and Transfer-Encoding leave the body's end in doubt"};
  }
  return {RefusalKind::bad_request, "the request head is malformed"};
}

void fill_framing(const Parser& parser, Head& head) {
  head.request.headers = head.fields;
  head.persistence = parser.keep_alive() ? Persistence::keep_alive : Persistence::close;
  head.content_length = parser.content_length().value_or(0);
  head.framing = parser.chunked()          ? BodyFraming::chunked
                 : head.content_length > 0 ? BodyFraming::length
                                           : BodyFraming::none;
}

}  // namespace

std::optional<Refusal> parse_head(std::string_view text, std::size_t max_headers, Head& head) {
  head.fields.clear();
  head.request = Request{};
  head.expects_continue = false;
  Parser parser(head, max_headers);
  error_code ec;
  const std::size_t used = parser.put(boost::asio::const_buffer(text.data(), text.size()), ec);
  if (parser.refusal()) return parser.refusal();
  if (ec || used != text.size() || !parser.is_header_done()) return refusal_of(ec, text);
  const bool host_rule = parser.hosts() == 1 || (head.version == Version::http10 && parser.hosts() == 0);
  if (!host_rule) return Refusal{RefusalKind::bad_request, "there must be exactly one Host header"};
  fill_framing(parser, head);
  return std::nullopt;
}

}  // namespace latchkey::http

#include "http/head_parser.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "http/ascii.hpp"
#include "http/target.hpp"

namespace latchkey::http {
namespace {

using std::string_view;

constexpr Refusal malformed_head{RefusalKind::bad_request, "the request head is malformed"};
constexpr Refusal end_in_doubt{RefusalKind::bad_request,
                               "Content-Length and Transfer-Encoding leave the body's end in doubt"};

constexpr bool is_host_char(char c) {
  return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f &&
         string_view("/?#@\\,\"<>").find(c) == string_view::npos;
}

/// Looked up: searching a list for each character costs as much as the rest of the head.
template <auto is_member>
class CharSet {
 public:
  static bool holds(char c) { return members[static_cast<unsigned char>(c)]; }
  static bool hold_all(string_view text) { return std::all_of(text.begin(), text.end(), holds); }

 private:
  static constexpr auto members = [] {
    std::array<bool, 256> chars{};
    for (int c = 0; c < 256; ++c) chars[static_cast<std::size_t>(c)] = is_member(static_cast<char>(c));
    return chars;
  }();
};
using TokenChars = CharSet<is_token_char>;
using Controls = CharSet<is_control>;
using HostChars = CharSet<is_host_char>;  // not the grammar of an authority: what could mean something else downstream

bool is_digits(string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

string_view trim(string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Sixteen octets side by side: a register of every x86-64 and AArch64. GCC 12 makes none of a loop over octets.
using Octets = std::uint8_t __attribute__((vector_size(16)));

bool any_control(Octets octets) {
  const auto controls = (octets < 0x20) | (octets == 0x7f);  // all bits of an octet that is one
  std::uint64_t halves[2];
  std::memcpy(halves, &controls, sizeof halves);
  return (halves[0] | halves[1]) != 0;
}

/// The length of what comes before the first control character: of a header's value, unless it is not one. Most of a
/// head are values.
std::size_t length_to_control(string_view text) {
  std::size_t at = 0;
  for (Octets octets; text.size() - at >= sizeof octets; at += sizeof octets) {
    std::memcpy(&octets, text.data() + at, sizeof octets);
    if (any_control(octets)) break;
  }
  while (at < text.size() && !Controls::holds(text[at])) ++at;
  return at;
}

Method to_method(string_view name) {
  static constexpr std::array methods = {Method::get,   Method::head,    Method::post,   Method::put,
                                         Method::patch, Method::delete_, Method::options};
  for (const Method method : methods) {
    if (name == to_string(method)) return method;
  }
  return Method::other;
}

/// Takes the request line and the headers of one head off the front of its text.
class HeadParser {
 public:
  HeadParser(string_view text, std::size_t max_headers, Head& head)
      : rest_(text), max_headers_(max_headers), head_(head) {}

  std::optional<Refusal> parse() {
    if (auto why_not = take_request_line()) return why_not;
    while (rest_ != "\r\n") {
      if (auto why_not = take_field()) return why_not;
    }
    const bool host_rule = hosts_ == 1 || (head_.version == Version::http10 && hosts_ == 0);
    if (!host_rule) return Refusal{RefusalKind::bad_request, "there must be exactly one Host header"};
    settle();
    return std::nullopt;
  }

 private:
  std::optional<Refusal> take_request_line();
  std::optional<Refusal> take_version(string_view text);
  std::optional<Refusal> take_field();
  std::optional<Refusal> heed(string_view name, string_view value);
  std::optional<Refusal> heed_content_length(string_view value);
  std::optional<Refusal> heed_transfer_encoding(string_view value);
  std::optional<Refusal> heed_connection(string_view value);
  std::optional<Refusal> heed_expect(string_view value);
  void settle();

  string_view rest_;
  const std::size_t max_headers_;
  Head& head_;
  int hosts_ = 0;
  bool has_length_ = false, chunked_ = false;
  bool says_close_ = false, says_keep_alive_ = false;
};

// RFC 9112 section 3: method SP target SP version CRLF. What may stand in them keeps a CR or LF out.
std::optional<Refusal> HeadParser::take_request_line() {
  const std::size_t end = rest_.find('\n');
  if (end == string_view::npos || end == 0 || rest_[end - 1] != '\r') return malformed_head;
  const string_view line = rest_.substr(0, end - 1);
  rest_.remove_prefix(end + 1);
  const std::size_t first = line.find(' ');
  const std::size_t second = first == string_view::npos ? first : line.find(' ', first + 1);
  if (second == string_view::npos || first == 0 || !TokenChars::hold_all(line.substr(0, first))) return malformed_head;
  if (auto why_not = take_version(line.substr(second + 1))) return why_not;
  head_.request.method_text = line.substr(0, first);
  head_.request.method = to_method(head_.request.method_text);
  head_.request.target = line.substr(first + 1, second - first - 1);
  if (!split_target(head_.request)) return Refusal{RefusalKind::bad_request, "the request target is not one"};
  return std::nullopt;
}

std::optional<Refusal> HeadParser::take_version(string_view text) {
  head_.version = text == "HTTP/1.0" ? Version::http10 : Version::http11;
  if (text == "HTTP/1.1" || text == "HTTP/1.0") return std::nullopt;
  const bool another = text.size() == 8 && text.starts_with("HTTP/") && is_digits(text.substr(5, 1)) &&
                       text[6] == '.' && is_digits(text.substr(7));
  return another ? Refusal{RefusalKind::version_not_supported, "only HTTP/1.1 and HTTP/1.0"} : malformed_head;
}

// Section 5: name ":" OWS value OWS CRLF.
std::optional<Refusal> HeadParser::take_field() {
  std::size_t colon = 0;
  while (colon < rest_.size() && TokenChars::holds(rest_[colon])) ++colon;
  if (colon == 0 || colon == rest_.size() || rest_[colon] != ':') return malformed_head;
  const string_view name = rest_.substr(0, colon);
  rest_.remove_prefix(colon + 1);
  const std::size_t length = length_to_control(rest_);
  if (rest_.substr(length, 2) != "\r\n") return malformed_head;
  const string_view value = trim(rest_.substr(0, length));
  rest_.remove_prefix(length + 2);
  if (head_.fields.size() == max_headers_) return Refusal{RefusalKind::head_too_large, "too many headers"};
  head_.fields.push_back({name, value});
  return heed(name, value);
}

std::optional<Refusal> HeadParser::heed(string_view name, string_view value) {
  if (equals_ignoring_case(name, "host")) {
    ++hosts_;
    if (!HostChars::hold_all(value)) return Refusal{RefusalKind::bad_request, "the Host header is not a host"};
  }
  if (equals_ignoring_case(name, "content-length")) return heed_content_length(value);
  if (equals_ignoring_case(name, "transfer-encoding")) return heed_transfer_encoding(value);
  if (equals_ignoring_case(name, "connection")) return heed_connection(value);
  if (equals_ignoring_case(name, "expect")) return heed_expect(value);
  return std::nullopt;
}

// Lists ("5, 5") and repeated equal lengths are refused too: each has been a way to smuggle.
std::optional<Refusal> HeadParser::heed_content_length(string_view value) {
  if (chunked_) return end_in_doubt;
  const bool fits = is_digits(value) &&
                    std::from_chars(value.data(), value.data() + value.size(), head_.content_length).ec == std::errc();
  if (std::exchange(has_length_, true) || !fits) {
    return Refusal{RefusalKind::bad_request, "Content-Length must come once, as one number"};
  }
  return std::nullopt;
}

// To take another coding and then read its body as the next request would be smuggling's way in.
std::optional<Refusal> HeadParser::heed_transfer_encoding(string_view value) {
  if (has_length_ || chunked_) return end_in_doubt;
  if (!equals_ignoring_case(value, "chunked")) {
    return Refusal{RefusalKind::not_implemented, "Transfer-Encoding other than chunked"};
  }
  if (head_.version == Version::http10) return Refusal{RefusalKind::bad_request, "Transfer-Encoding in HTTP/1.0"};
  chunked_ = true;
  return std::nullopt;
}

// RFC 9110 section 7.6.1: a list of tokens, of which elements may be empty.
std::optional<Refusal> HeadParser::heed_connection(string_view value) {
  while (!value.empty()) {
    const string_view option = trim(value.substr(0, value.find(',')));
    value.remove_prefix(std::min(value.find(','), value.size() - 1) + 1);
    if (!TokenChars::hold_all(option)) return malformed_head;
    says_close_ = says_close_ || equals_ignoring_case(option, "close");
    says_keep_alive_ = says_keep_alive_ || equals_ignoring_case(option, "keep-alive");
  }
  return std::nullopt;
}

std::optional<Refusal> HeadParser::heed_expect(string_view value) {
  if (head_.version == Version::http10) return std::nullopt;  // RFC 9110 section 10.1.1: ignored
  if (!equals_ignoring_case(value, "100-continue")) {
    return Refusal{RefusalKind::expectation_failed, "Expect other than 100-continue"};
  }
  head_.expects_continue = true;
  return std::nullopt;
}

void HeadParser::settle() {
  head_.request.headers = head_.fields;
  const bool keep = !says_close_ && (head_.version == Version::http11 || says_keep_alive_);
  head_.persistence = keep ? Persistence::keep_alive : Persistence::close;
  head_.framing = chunked_ ? BodyFraming::chunked : head_.content_length > 0 ? BodyFraming::length : BodyFraming::none;
}

}  // namespace

std::optional<Refusal> parse_head(std::string_view text, std::size_t max_headers, Head& head) {
  head.fields.clear();
  head.request = Request{};
  head.content_length = 0;
  head.expects_continue = false;
  return HeadParser(text, max_headers, head).parse();
}

}  // namespace latchkey::http

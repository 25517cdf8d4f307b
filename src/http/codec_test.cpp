#include "http/codec.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace latchkey::http {
namespace {

constexpr std::string_view host = "Host: a\r\n";

// What came out of an input: each request as text, then the refusal's status or 0.
struct Outcome {
  std::vector<std::string> requests;
  int status = 0;
  bool operator==(const Outcome&) const = default;
};

std::string show(const Head& head) {
  const Request& r = head.request;
  std::string text(to_string(r.method));
  text.append(" ").append(r.target).append(" ").append(r.path).append("|").append(r.query);
  for (const auto& h : r.headers) text.append("\n").append(h.name).append("=").append(h.value);
  return text.append("\n\n").append(r.body) + (head.persistence == Persistence::keep_alive ? "+" : "-") +
         (head.expects_continue ? "e" : "");
}

// Feeds `input` in pieces of the given lengths; each call sees a fresh copy, so that a stale view is a use after free.
Outcome feed(std::string_view input, const std::vector<std::size_t>& cuts, const CodecLimits& limits = {}) {
  Outcome outcome;
  Codec codec(limits);
  std::string kept;
  std::size_t cut = 0;
  while (!input.empty()) {
    const std::size_t n = std::min(input.size(), cut < cuts.size() ? cuts[cut++] : input.size());
    kept.append(input.substr(0, n));
    input.remove_prefix(n);
    for (;;) {
      std::string moved(kept.begin(), kept.end());
      moved.shrink_to_fit();
      std::size_t size = moved.size();
      const auto status = kept.empty() ? Codec::Status::need_head : codec.parse(moved.data(), size);
      if (status == Codec::Status::refused) return outcome.status = status_of(codec.refusal().kind), outcome;
      moved.resize(size);
      if (status != Codec::Status::request) {
        kept = moved;
        break;
      }
      outcome.requests.push_back(show(codec.head()));
      kept = moved.substr(codec.consumed());
      codec.reset();
    }
  }
  return outcome;
}

Outcome feed_whole(std::string_view input, const CodecLimits& limits = {}) { return feed(input, {}, limits); }

struct Case {
  std::string_view name;
  std::string input;
  int status;
};

std::string get_with(std::string_view headers) { return "GET /x HTTP/1.1\r\n" + std::string(headers) + "\r\n"; }
std::string post(std::string_view headers, std::string_view body = {}) {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n" + std::string(body);
}
std::string line(std::string_view request_line) { return std::string(request_line) + "\r\nHost: a\r\n\r\n"; }
std::string chunked(std::string_view body) { return post("Transfer-Encoding: chunked\r\n", body); }

std::string many_headers(int n) {
  std::string headers(host);
  for (int i = 1; i < n; ++i) headers += "h" + std::to_string(i) + ": v\r\n";
  return get_with(headers);
}

std::string head_of_size(std::size_t size) {
  const std::string empty = get_with("Host: a\r\nPad: \r\n");
  return get_with("Host: a\r\nPad: " + std::string(size - empty.size(), 'p') + "\r\n");
}

std::vector<Case> refused_cases() {
  using namespace std::string_view_literals;
  return {
      {"no Host", get_with(""), 400},
      {"two Hosts", get_with("Host: a\r\nHost: a\r\n"), 400},
      {"two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"Host with a space", get_with("Host: a b\r\n"), 400},
      {"Host with a path", get_with("Host: a/b\r\n"), 400},
      {"Host with user information", get_with("Host: u@a\r\n"), 400},
      {"Host list", get_with("Host: a, b\r\n"), 400},
      {"fold", get_with("Host: a\r\nX: 1\r\n 2\r\n"), 400},
      {"fold with tab", get_with("Host: a\r\nX: 1\r\n\t2\r\n"), 400},
      {"fold after an empty value", get_with("Host: a\r\nX:\r\n 2\r\n"), 400},
      {"fold of the first header", get_with(" Host: a\r\n"), 400},
      {"space before colon", get_with("Host : a\r\n"), 400},
      {"empty header name", get_with("Host: a\r\n: x\r\n"), 400},
      {"no colon", get_with("Host: a\r\nnonsense\r\n"), 400},
      {"bad header name", get_with("Host: a\r\nX(): 1\r\n"), 400},
      {"non-ASCII header name", get_with("Host: a\r\n\xc3\xa9: 1\r\n"), 400},
      {"NUL in a value", get_with("Host: a\r\nX: a\0b\r\n"sv), 400},
      {"BEL in a value", get_with("Host: a\r\nX: a\ab\r\n"), 400},
      {"DEL in a value", get_with("Host: a\r\nX: a\x7f\r\n"), 400},
      {"CR in a value", get_with("Host: a\r\nX: a\rb\r\n"), 400},
      {"LF ends a header", get_with("Host: a\r\nX: a\nY: b\r\n"), 400},
      {"LF ends the head", "GET / HTTP/1.1\nHost: a\n\n", 400},
      {"LF then CRLF ends the head", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
      {"NUL in the target", line("GET /a\0b HTTP/1.1"sv), 400},
      {"tab in the target", line("GET /a\tb HTTP/1.1"), 400},
      {"space in the target", line("GET /a b HTTP/1.1"), 400},
      {"two spaces", line("GET  / HTTP/1.1"), 400},
      {"non-ASCII target", line("GET /\xc3\xa9 HTTP/1.1"), 400},
      {"fragment", line("GET /a#b HTTP/1.1"), 400},
      {"no slash", line("GET a HTTP/1.1"), 400},
      {"authority form", line("CONNECT a:80 HTTP/1.1"), 400},
      {"absolute form without authority", line("GET http:///a HTTP/1.1"), 400},
      {"other scheme", line("GET ftp://a/b HTTP/1.1"), 400},
      {"asterisk for GET", line("GET * HTTP/1.1"), 400},
      {"no version", line("GET /"), 400},
      {"bad version", line("GET / HTTP/1"), 400},
      {"lower-case http", line("GET / http/1.1"), 400},
      {"space after the version", line("GET / HTTP/1.1 "), 400},
      {"1.2", line("GET / HTTP/1.2"), 505},
      {"2.0", line("GET / HTTP/2.0"), 505},
      {"0.9", line("GET / HTTP/0.9"), 505},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"TLS", "\x16\x03\x01", 400},
      {"two empty lines first", "\r\n\r\n" + get_with(host), 400},
      {"LF first", "\n" + get_with(host), 400},
      {"CR first", "\rGET / HTTP/1.1\r\n", 400},
      {"gzip", post("Transfer-Encoding: gzip\r\n"), 501},
      {"gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {"chunked, gzip", post("Transfer-Encoding: chunked, gzip\r\n"), 501},
      {"chunked, chunked", post("Transfer-Encoding: chunked, chunked\r\n"), 501},
      {"identity", post("Transfer-Encoding: identity\r\n"), 501},
      {"xchunked", post("Transfer-Encoding: xchunked\r\n"), 501},
      {"quoted chunked", post("Transfer-Encoding: \"chunked\"\r\n"), 501},
      {"empty coding", post("Transfer-Encoding:\r\n"), 501},
      {"vertical tab before chunked", post("Transfer-Encoding: \vchunked\r\n"), 400},
      {"identity then chunked", post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"), 501},
      {"chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"gzip with a length", post("Transfer-Encoding: gzip\r\nContent-Length: 3\r\n", "abc"), 501},
      {"chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"TE then CL", post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), 400},
      {"CL then TE", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"two lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"), 400},
      {"one length twice", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400},
      {"length list", post("Content-Length: 3, 3\r\n", "abc"), 400},
      {"length with sign", post("Content-Length: +3\r\n", "abc"), 400},
      {"negative length", post("Content-Length: -3\r\n"), 400},
      {"hexadecimal length", post("Content-Length: 0x3\r\n"), 400},
      {"empty length", post("Content-Length:\r\n"), 400},
      {"length with a space", post("Content-Length: 1 2\r\n"), 400},
      {"length of 2^64", post("Content-Length: 18446744073709551616\r\n"), 400},
      {"length over the limit", post("Content-Length: 65537\r\n"), 413},
      {"length far over the limit", post("Content-Length: 18446744073709551615\r\n"), 413},
      {"chunk over the limit", chunked("10001\r\n"), 413},
      {"chunks over the limit", chunked("ffff\r\n" + std::string(65535, 'x') + "\r\n2\r\n"), 413},
      {"chunk size with nine digits", chunked("000000001\r\nx\r\n0\r\n\r\n"), 400},
      {"chunk size with prefix", chunked("0x1\r\nx\r\n0\r\n\r\n"), 400},
      {"negative chunk size", chunked("-1\r\nx\r\n0\r\n\r\n"), 400},
      {"no chunk size", chunked("\r\nx\r\n0\r\n\r\n"), 400},
      {"space before chunk size", chunked(" 1\r\nx\r\n0\r\n\r\n"), 400},
      {"text after chunk size", chunked("1 x\r\nx\r\n0\r\n\r\n"), 400},
      {"chunk size ends in LF", chunked("1\nx\r\n0\r\n\r\n"), 400},
      {"chunk longer than its size", chunked("1\r\nxy\r\n0\r\n\r\n"), 400},
      {"chunk ends in LF", chunked("1\r\nx\n0\r\n\r\n"), 400},
      {"CR in a chunk extension", chunked("1;a\rb\r\nx\r\n0\r\n\r\n"), 400},
      {"long chunk extension", chunked("1;" + std::string(300, 'e') + "\r\nx\r\n0\r\n\r\n"), 400},
      {"folded trailer", chunked("0\r\nX: 1\r\n 2\r\n\r\n"), 400},
      {"trailer without colon", chunked("0\r\nX\r\n\r\n"), 400},
      {"NUL in a trailer", chunked("0\r\nX: \0\r\n\r\n"sv), 400},
      {"trailers too large", chunked("0\r\nX: " + std::string(5000, 't') + "\r\n\r\n"), 431},
      {"other expectation", post("Expect: 200-ok\r\nContent-Length: 1\r\n", "x"), 417},
      {"one header too many", many_headers(65), 431},
      {"head one octet too large", head_of_size(16 * 1024 + 1), 431},
      {"endless request line", "GET /" + std::string(20'000, 'a'), 431},
      {"malformed Connection", get_with("Host: a\r\nConnection: close;\"\r\n"), 400},
  };
}

std::vector<Case> accepted_cases() {
  return {
      {"plain", get_with(host), 0},
      {"1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 0},
      {"1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 0},
      {"close", get_with("Host: a\r\nConnection: close\r\n"), 0},
      {"empty Host", get_with("Host:\r\n"), 0},
      {"Host with port", get_with("Host: [::1]:80\r\n"), 0},
      {"empty line first", "\r\n" + get_with(host), 0},
      {"query", line("GET /a?b=c?d&e HTTP/1.1"), 0},
      {"absolute form", line("GET http://b.example:80/a?b HTTP/1.1"), 0},
      {"absolute form without path", line("GET HTTPS://b?q HTTP/1.1"), 0},
      {"asterisk", line("OPTIONS * HTTP/1.1"), 0},
      {"own method", line("BREW /pot HTTP/1.1"), 0},
      {"spaces around a value", get_with("Host: a\r\nX: \t a b \t\r\n"), 0},
      {"empty value", get_with("Host: a\r\nX:\r\nY: \r\n"), 0},
      {"non-ASCII value", get_with("Host: a\r\nX: \xc3\xa9\xff\r\n"), 0},
      {"length", post("Content-Length: 3\r\n", "abc"), 0},
      {"zero length", post("Content-Length: 0\r\n"), 0},
      {"length with leading zeros", post("Content-Length: 0003\r\n", "abc"), 0},
      {"body at the limit", post("Content-Length: 65536\r\n", std::string(65536, 'b')), 0},
      {"chunks", chunked("1\r\nx\r\n00A;e=\"v\"\r\n0123456789\r\n0\r\n\r\n"), 0},
      {"no chunks", chunked("0\r\n\r\n"), 0},
      {"CHUNKED", post("Transfer-Encoding: CHUNKED\r\n", "2\r\nab\r\n000\r\n\r\n"), 0},
      {"trailers", chunked("1\r\nx\r\n0\r\nContent-Length: 5\r\nHost: evil\r\n\r\n"), 0},
      {"chunk at the limit", chunked("10000\r\n" + std::string(65536, 'c') + "\r\n0\r\n\r\n"), 0},
      {"continue", post("Expect: 100-Continue\r\nContent-Length: 1\r\n", "x"), 0},
      {"expectation in 1.0", "POST / HTTP/1.0\r\nExpect: else\r\nContent-Length: 1\r\n\r\nx", 0},
      {"as many headers as may be", many_headers(64), 0},
      {"head at the limit", head_of_size(16 * 1024), 0},
      {"GET with a body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", 0},
  };
}

TEST(Codec, RefusesWhatIsNotStrictlyHttp) {
  for (const auto& c : refused_cases()) {
    const Outcome outcome = feed_whole(c.input);
    EXPECT_EQ(outcome.status, c.status) << c.name;
    EXPECT_TRUE(outcome.requests.empty()) << c.name;
  }
}

TEST(Codec, TakesWhatIsStrictlyHttp) {
  for (const auto& c : accepted_cases()) {
    const Outcome outcome = feed_whole(c.input + get_with(host));
    EXPECT_EQ(outcome.status, 0) << c.name;
    EXPECT_EQ(outcome.requests.size(), 2U) << c.name << ": the next request must begin where this one ends";
  }
}

TEST(Codec, ShowsTheRequestAsSent) {
  const auto one = [](const std::string& input) { return feed_whole(input).requests.at(0); };
  EXPECT_EQ(one("GET http://h/p/q?r=%20 HTTP/1.1\r\nHost: a\r\nX-Y: \t v w \r\n\r\n"),
            "GET http://h/p/q?r=%20 /p/q|r=%20\nHost=a\nX-Y=v w\n\n+");
  EXPECT_EQ(one("GET http://h?r HTTP/1.1\r\nHost: a\r\n\r\n"), "GET http://h?r /|r\nHost=a\n\n+");
  EXPECT_EQ(one("OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n"),
            "OPTIONS * *|\nHost=a\nConnection=Close\n\n-");
  EXPECT_EQ(one("GET / HTTP/1.0\r\nConnection: Keep-Alive, ,close\r\n\r\n"),
            "GET / /|\nConnection=Keep-Alive, ,close\n\n-");
  EXPECT_EQ(one("PUT / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi"), "PUT / /|\nContent-Length=2\n\nhi-");
  EXPECT_EQ(one(chunked("2\r\nhe\r\n3;x\r\nllo\r\n0\r\nT: 1\r\n\r\n")),
            "POST /x /x|\nHost=a\nTransfer-Encoding=chunked\n\nhello+");
}

TEST(Codec, FindsAControlCharacterWhereverItStandsInAValue) {
  for (std::size_t size = 0; size < 70; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string value(size, 'v');
      value[at] = '\a';
      EXPECT_EQ(feed_whole(get_with("Host: a\r\nX: " + value + "\r\n")).status, 400) << at << " of " << size;
      value[at] = '\t';
      EXPECT_EQ(feed_whole(get_with("Host: a\r\nX: " + value + "\r\n")).status, 0) << at << " of " << size;
    }
  }
}

// The heart of it: no cut into segments may change what is understood.
TEST(Codec, OctetByOctetEqualsWhole) {
  auto cases = refused_cases();
  for (auto& c : accepted_cases()) cases.push_back(std::move(c));
  for (const auto& c : cases) {
    if (c.input.size() > 20'000) continue;  // quadratic; cut at random below
    const std::vector<std::size_t> ones(c.input.size(), 1);
    EXPECT_EQ(feed(c.input, ones), feed_whole(c.input)) << c.name;
  }
}

TEST(Codec, RandomCutsEqualWhole) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  auto cases = refused_cases();
  for (auto& c : accepted_cases()) cases.push_back(std::move(c));
  for (int round = 0; round < 300; ++round) {
    std::string input;
    for (int i = 0; i < 3; ++i) input += cases[random() % cases.size()].input;
    std::vector<std::size_t> cuts;
    const std::size_t longest = input.size() > 20'000 ? 20'000 : 60;
    for (std::size_t sum = 0; sum < input.size(); sum += cuts.back()) cuts.push_back(1 + random() % longest);
    EXPECT_EQ(feed(input, cuts), feed_whole(input)) << input.substr(0, 200);
  }
}

TEST(Codec, MutatedRequestsCutAnywhereEqualWhole) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto cases = accepted_cases();
  for (int round = 0; round < 3000; ++round) {
    std::string input = cases[random() % cases.size()].input;
    if (input.size() > 2'000) continue;
    for (int i = 0; i < 3; ++i) input[random() % input.size()] = "\r\n :;,\t0aA1\x00\x7f\xff"[random() % 15];
    const std::size_t cut = 1 + random() % input.size();
    EXPECT_EQ(feed(input, {cut}), feed_whole(input)) << input;
  }
}

// A slow sender of one-octet chunks must not be able to make the server buffer more than the body's limit.
TEST(Codec, TakesChunkFramingOutWhileItWaits) {
  Codec codec({});
  std::string buffer = chunked("");
  const std::size_t head = buffer.size();
  for (int i = 0; i < 1000; ++i) {
    buffer += "1;ext=abcdef\r\nx\r\n";
    std::size_t size = buffer.size();
    ASSERT_EQ(codec.parse(buffer.data(), size), Codec::Status::need_body);
    buffer.resize(size);
    ASSERT_EQ(size, head + static_cast<std::size_t>(i) + 1);
  }
}

}  // namespace
}  // namespace latchkey::http

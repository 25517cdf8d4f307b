#include <gtest/gtest.h>

#include <stdexcept>

#include "base/json.hpp"
#include "http/date_line.hpp"
#include "http/encode.hpp"
#include "http/message.hpp"
#include "http/problem.hpp"

namespace latchkey::http {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(ParseQuery, DecodesInOrder) {
  EXPECT_EQ(parse_query(""), Pairs{});
  EXPECT_EQ(parse_query("a=1&b=&c&=d&a=2"), (Pairs{{"a", "1"}, {"b", ""}, {"c", ""}, {"", "d"}, {"a", "2"}}));
  EXPECT_EQ(parse_query("n=a+b%20c%2B%26%3d&%41=%00"), (Pairs{{"n", "a b c+&="}, {"A", std::string(1, '\0')}}));
  EXPECT_EQ(parse_query("&&a==b&"), (Pairs{{"a", "=b"}}));
}

TEST(ParseQuery, RefusesMalformedEscapes) {
  for (const char* query : {"%", "a=%", "a=%4", "a=%g0", "a=%0g", "%zz=1", "a=1&b=%+1", "a=%-1", "a=%4&b=1"}) {
    EXPECT_FALSE(parse_query(query)) << query;
  }
}

TEST(DecodeSegment, LeavesAPlusAndRefusesMalformedEscapes) {
  EXPECT_EQ(decode_segment("%45T%48+"), "ETH+");
  EXPECT_EQ(decode_segment("a%2fb"), "a/b");
  for (const char* segment : {"%", "a%4", "%zz"}) EXPECT_EQ(decode_segment(segment), std::nullopt) << segment;
}

TEST(Request, FindsHeadersInAnyCase) {
  const std::vector<Header> headers = {{"X-A", "1"}, {"x-a", "2"}, {"B", ""}};
  Request request;
  request.headers = headers;
  EXPECT_EQ(request.header("x-A"), "1");
  EXPECT_EQ(request.header("b"), "");
  EXPECT_EQ(request.header("X-"), std::nullopt);
  EXPECT_EQ(request.header_count("X-a"), 2U);
}

TEST(Response, RefusesHeadersThatWouldSplit) {
  Response response;
  response.with_header("A", "b c").with_header("D", "");
  EXPECT_EQ(response.header_lines, "A: b c\r\nD: \r\n");
  for (const std::string_view bad :
       std::vector<std::string_view>{"a\rb", "a\nb", "\r\n", std::string_view("a\0b", 3)}) {
    EXPECT_THROW(response.with_header("X", bad), std::invalid_argument);
  }
  for (const char* bad : {"", "a b", "a:", "a\r\n"})
    EXPECT_THROW(response.with_header(bad, "x"), std::invalid_argument);
}

TEST(Problem, IsADocumentOfItsFields) {
  const Response response = to_response(Problem{"bad-plan", "Bad \"plan\"", 400, "why\n", {{"/a", "x"}, {"/b", "y"}}});
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(parse_json(response.body).value(),
            json::value(
                {{"type", "/problems/bad-plan"},
                 {"title", "Bad \"plan\""},
                 {"status", 400},
                 {"detail", "why\n"},
                 {"errors", json::array{{{"pointer", "/a"}, {"detail", "x"}}, {{"pointer", "/b"}, {"detail", "y"}}}}}));
  EXPECT_EQ(parse_json(to_response(Problem{"gone", "Gone", 410, {}}).body)->as_object().size(), 3U);
}

TEST(DateLine, IsAnImfFixdate) {
  DateLine date;
  EXPECT_EQ(date.at(784'111'777), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  EXPECT_EQ(date.at(0), "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
  EXPECT_EQ(date.at(951'782'400), "Date: Tue, 29 Feb 2000 00:00:00 GMT\r\n");
}

std::string encoded(const Answer& answer, const Framing& framing = {}) {
  std::string out;
  append_answer(out, answer, framing, "Date: D\r\n");
  return out;
}

TEST(Encode, WritesWholeAnswers) {
  const Answer answer{200, "text/plain", "X: y\r\n", "hello"};
  EXPECT_EQ(encoded(answer),
            "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Type: text/plain\r\nX: y\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(encoded({429, {}, {}, {}}), "HTTP/1.1 429 Too Many Requests\r\nDate: D\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(encoded({299, {}, {}, {}}), "HTTP/1.1 299 Status\r\nDate: D\r\nContent-Length: 0\r\n\r\n");
}

TEST(Encode, LeavesBodiesOut) {
  EXPECT_EQ(encoded({204, {}, {}, "x"}), "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n");
  EXPECT_EQ(encoded({304, {}, "ETag: \"1\"\r\n", "x"}), "HTTP/1.1 304 Not Modified\r\nDate: D\r\nETag: \"1\"\r\n\r\n");
  EXPECT_EQ(encoded({200, {}, {}, "hello"}, {Version::http11, Persistence::keep_alive, BodyPart::leave_out}),
            "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 5\r\n\r\n");
}

TEST(Encode, SaysWhetherTheConnectionPersists) {
  const auto says = [](Version version, Persistence persistence, std::string_view what) {
    return encoded({200, {}, {}, {}}, {version, persistence, BodyPart::send}).find(what) != std::string::npos;
  };
  EXPECT_FALSE(says(Version::http11, Persistence::keep_alive, "Connection:"));
  EXPECT_TRUE(says(Version::http11, Persistence::close, "Connection: close\r\n"));
  EXPECT_TRUE(says(Version::http10, Persistence::keep_alive, "Connection: keep-alive\r\n"));
  EXPECT_TRUE(says(Version::http10, Persistence::close, "Connection: close\r\n"));
}

TEST(Encode, StreamsInChunksOrBare) {
  std::string out;
  append_piece(out, "hello world, 17b.", Version::http11);
  append_piece(out, "", Version::http11);
  append_stream_end(out, Version::http11);
  EXPECT_EQ(out, "11\r\nhello world, 17b.\r\n0\r\n\r\n");
  out.clear();
  append_piece(out, "ab", Version::http10);
  append_stream_end(out, Version::http10);
  EXPECT_EQ(out, "ab");
}

}  // namespace
}  // namespace latchkey::http

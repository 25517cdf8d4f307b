#include "access/credentials.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace latchkey::access {
namespace {

struct Case {
  std::vector<http::Header> headers;
  std::string_view query;
  std::string_view token;  // empty: refused
  Refusal refusal = Refusal::no_credentials;
};

void expect(const Case& c) {
  http::Request request;
  request.headers = c.headers;
  request.query = c.query;
  const auto presented = presented_token(request);
  std::string shown = "?" + std::string(c.query);
  for (const auto& header : c.headers) shown.append("\n").append(header.name).append(": ").append(header.value);
  ASSERT_EQ(presented.has_value(), !c.token.empty()) << shown;
  if (presented) {
    EXPECT_EQ(*presented, c.token) << shown;
  } else {
    EXPECT_EQ(to_string(presented.error()), to_string(c.refusal)) << shown;
  }
}

TEST(Credentials, OneHeaderOfEitherKind) {
  expect({{{"Authorization", "Bearer a.b.c"}}, "", "a.b.c"});
  expect({{{"authorization", "bEARER   a.b.c"}}, "", "a.b.c"});
  expect({{{"x-api-key", "a.b.c"}}, "limit=10&name=alice", "a.b.c"});
}

TEST(Credentials, NoneOrAnotherScheme) {
  expect({{}, "", ""});
  expect({{{"Host", "t"}}, "", ""});
  for (const std::string_view value : {"Basic YTpi", "Bearera.b.c", "a.b.c", ""}) {
    expect({{{"Authorization", value}}, "", ""});
  }
}

TEST(Credentials, MalformedHeaders) {
  for (const std::string_view value : {"Bearer", "Bearer a b", "Bearer a.b.c, d", "Bearer \ta"}) {
    expect({{{"Authorization", value}}, "", "", Refusal::malformed});
  }
  expect({{{"X-API-Key", ""}}, "", "", Refusal::malformed});
  expect({{{"X-API-Key", "Bearer a"}}, "", "", Refusal::malformed});
}

TEST(Credentials, MoreThanOneIsAmbiguous) {
  expect({{{"Authorization", "Bearer a"}, {"X-API-Key", "a"}}, "", "", Refusal::ambiguous});
  expect({{{"X-API-Key", "a"}, {"Authorization", "Basic a"}}, "", "", Refusal::ambiguous});
  expect({{{"Authorization", "Bearer a"}, {"Authorization", "Bearer a"}}, "", "", Refusal::ambiguous});
  expect({{{"X-API-Key", "a"}, {"x-api-key", "a"}}, "", "", Refusal::ambiguous});
}

TEST(Credentials, AKeyInTheQueryIsAmbiguousWithAndWithoutHeaders) {
  for (const std::string_view query :
       {"access_key=a", "accessKey=a", "api_key=a", "apikey=a", "x=1&key=a", "token", "access_token=", "X-API-KEY=a",
        "api%5Fkey=a", "%6bey=a", "x=eyJh.eyJi.c", "x=%65yJh.eyJi.c", "eyJh.eyJi.c", "a=1;key=b", "&&key"}) {
    expect({{}, query, "", Refusal::ambiguous});
    expect({{{"X-API-Key", "a"}}, query, "", Refusal::ambiguous});
  }
  for (const std::string_view query : {"", "&", "=", "keys=a", "monkey=1", "k%65", "%", "key%zz=1", "x=eyJ.a",
                                       "averyveryverylongparameternamekey=1"}) {
    expect({{{"X-API-Key", "a"}}, query, "a"});
  }
}

}  // namespace
}  // namespace latchkey::access

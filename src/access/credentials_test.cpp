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

TEST(Credentials, TwoDifferentKeysAreAmbiguous) {
  expect({{{"Authorization", "Bearer a"}, {"X-API-Key", "b"}}, "", "", Refusal::ambiguous});
  expect({{{"X-API-Key", "b"}, {"Authorization", "Bearer a"}}, "", "", Refusal::ambiguous});
  expect({{{"Authorization", "Bearer a"}, {"Authorization", "Bearer b"}}, "", "", Refusal::ambiguous});
  expect({{{"X-API-Key", "a"}, {"x-api-key", "A"}}, "", "", Refusal::ambiguous});
  expect({{{"X-API-Key", "a"}, {"X-API-Key", "a"}, {"Authorization", "Bearer b"}}, "", "", Refusal::ambiguous});
  expect({{{"X-API-Key", "a"}, {"Authorization", "Bearer a b"}}, "", "", Refusal::ambiguous});
}

TEST(Credentials, TheSameKeyTwiceIsOne) {
  expect({{{"Authorization", "Bearer a.b.c"}, {"X-API-Key", "a.b.c"}}, "", "a.b.c"});
  expect({{{"X-API-Key", "a"}, {"Authorization", "bearer  a"}}, "", "a"});
  expect({{{"Authorization", "Bearer a"}, {"Authorization", "Bearer a"}}, "", "a"});
  expect({{{"X-API-Key", "a"}, {"x-api-key", "a"}}, "", "a"});
}

TEST(Credentials, AForeignOrEmptyHeaderBesideAKeyPresentsNothing) {
  for (const std::string_view value : {"Basic YTpi", "Digest username=\"a\"", "", "Negotiate", "Bearer", "Bearer "}) {
    expect({{{"X-API-Key", "a"}, {"Authorization", value}}, "", "a"});
    expect({{{"Authorization", value}, {"X-API-Key", "a"}}, "", "a"});
  }
  expect({{{"Authorization", "Basic YTpi"}, {"Authorization", "Bearer a"}}, "", "a"});
  expect({{{"X-API-Key", ""}, {"Authorization", "Bearer a"}}, "", "a"});
  expect({{{"Authorization", "Bearer a"}, {"X-API-Key", ""}}, "", "a"});
  expect({{{"X-API-Key", ""}, {"Authorization", "Basic YTpi"}}, "", "", Refusal::malformed});
}

TEST(Credentials, WhereTheQueryIsTheClientsItIsNotSearched) {
  const std::vector<http::Header> headers = {{"X-API-Key", "a"}};
  http::Request request;
  request.headers = headers;
  request.query = "api_key=b&x=eyJh.eyJi.c";
  EXPECT_EQ(*token_in_headers(request), "a");
  EXPECT_EQ(presented_token(request).error(), Refusal::ambiguous);
}

TEST(Credentials, KnowsWhetherATokenCameAsBearer) {
  const auto asks = [](const std::vector<http::Header>& headers) {
    http::Request request;
    request.headers = headers;
    return is_bearer(request);
  };
  EXPECT_TRUE(asks({{"X-API-Key", "a"}, {"authorization", "bearer a"}}));
  EXPECT_FALSE(asks({{"X-API-Key", "a"}, {"Authorization", "Basic YTpi"}}));
  EXPECT_FALSE(asks({{"X-API-Key", "a"}, {"Authorization", "Bearer "}}));
  EXPECT_FALSE(asks({{"X-API-Key", "a"}}));
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

#include "pages/pages.hpp"

#include <gtest/gtest.h>

#include "pages/problem_types.hpp"

namespace latchkey::pages {
namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

TEST(PagesTest, EveryPageRunsItsOwnScriptOnlyAndAsksNobodyElse) {
  for (const auto& page : {console(), docs(), problems(), *problem("rate-limited")}) {
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
    for (const auto* part : {"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                             "connect-src 'self'; frame-ancestors 'none'",
                             "require-trusted-types-for 'script'; trusted-types 'none'",
                             "Referrer-Policy: no-referrer\r\n", "X-Content-Type-Options: nosniff\r\n"}) {
      EXPECT_TRUE(has(page.header_lines, part)) << part << "\n" << page.header_lines;
    }
    for (const auto* part : {"<script>", "<style", " style=", " onclick=", "https://"}) {
      EXPECT_FALSE(has(page.body, part)) << part;
    }
  }
}

TEST(PagesTest, OnlyTheConsoleMayAskItsProvider) {
  const SignInProvider provider{"https://login.example/realms/\"a\"", "https://login.example", "<console>", "latchkey"};
  const auto page = console(provider);
  EXPECT_TRUE(has(page.header_lines, "connect-src 'self' https://login.example; frame-ancestors 'none'; base-uri"));
  EXPECT_TRUE(has(page.body,
                  "<meta name=\"oidc\" data-issuer=\"https://login.example/realms/&quot;a&quot;\" "
                  "data-client-id=\"&lt;console&gt;\" data-audience=\"latchkey\">\n</head>"));
  EXPECT_FALSE(has(console().body, "oidc"));
  EXPECT_FALSE(has(docs().header_lines, "login.example"));
}

TEST(PagesTest, APartSaysWhatItIs) {
  const std::pair<http::Response, const char*> cases[] = {{console_script(), "text/javascript; charset=utf-8"},
                                                          {docs_script(), "text/javascript; charset=utf-8"},
                                                          {console_style(), "text/css; charset=utf-8"},
                                                          {docs_style(), "text/css; charset=utf-8"}};
  for (const auto& [part, type] : cases) {
    EXPECT_EQ(part.content_type, type);
    EXPECT_FALSE(part.body.empty());
    EXPECT_TRUE(has(part.header_lines, "X-Content-Type-Options: nosniff\r\n"));
  }
}

TEST(PagesTest, EachProblemTypeHasAPageThatExplainsIt) {
  for (const auto& type : problem_types()) {
    const auto page = problem(type.name);
    ASSERT_TRUE(page) << type.name;
    EXPECT_TRUE(has(page->body, "What to do")) << type.name;
    EXPECT_FALSE(has(page->body, "`")) << type.name;
    EXPECT_TRUE(has(problems().body, std::string("\"/problems/").append(type.name))) << type.name;
  }
}

TEST(PagesTest, BackticksBecomeCodeAndTextIsEscaped) {
  EXPECT_TRUE(has(problem("expectation-failed")->body, "The <code>Expect</code> header asks"));
  EXPECT_TRUE(has(problem("no-limit")->body, "<code>&quot;limits&quot;: []</code>"));
}

TEST(PagesTest, AnUnknownTypeHasNone) {
  for (const auto* name : {"", "rate", "rate-limited2", "zzz", "Rate-Limited", "../docs"})
    EXPECT_FALSE(problem(name)) << name;
}

}  // namespace
}  // namespace latchkey::pages

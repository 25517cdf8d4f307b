#include <fmt/format.h>

#include <string>

#include "pages/page.hpp"
#include "pages/pages.hpp"
#include "pages/problem_types.hpp"

namespace latchkey::pages {

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
}

namespace {

/// "Send `X-API-Key`." → "Send <code>X-API-Key</code>."
std::string prose(std::string_view text) {
  std::string out;
  for (bool code = false;; code = !code) {
    const auto end = text.find('`');
    if (code) out += "<code>";
    append_escaped(out, text.substr(0, end));
    if (code) out += "</code>";
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

std::string document(std::string_view title, std::string_view body) {
  return fmt::format(R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{0} · Latchkey</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs.css">
</head>
<body>
<header><h1>{0}</h1></header>
<main>
{1}
</main>
<footer><p><a href="/problems">All problem types</a> · <a href="/docs">API description</a></p></footer>
</body>
</html>
)",
                     title, body);
}

std::string entry(const ProblemType& type) {
  return fmt::format("<tr><th scope=\"row\"><a href=\"/problems/{0}\">{0}</a></th><td>{1}</td><td>{2}</td></tr>\n",
                     type.name, type.status, type.title);
}

}  // namespace

std::optional<http::Response> problem(std::string_view name) {
  const ProblemType* type = find_problem_type(name);
  if (type == nullptr) return std::nullopt;
  return page(document(type->title, fmt::format("<p><code>/problems/{}</code>, status {}</p>\n<h2>What it means</h2>\n"
                                                "<p>{}</p>\n<h2>What to do</h2>\n<p>{}</p>",
                                                type->name, type->status, prose(type->means), prose(type->remedy))));
}

http::Response problems() {
  std::string rows;
  for (const auto& type : problem_types()) rows += entry(type);
  return page(document("Problem types",
                       "<p>Every error is a JSON document (RFC 9457). Its <code>type</code> is stable "
                       "and is one of these.</p>\n<table>\n<caption>Problem types</caption>\n<thead><tr>"
                       "<th scope=\"col\">Type</th><th scope=\"col\">Status</th><th scope=\"col\">Title</th>"
                       "</tr></thead>\n<tbody>\n" +
                           rows + "</tbody>\n</table>"));
}

}  // namespace latchkey::pages

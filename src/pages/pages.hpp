#pragma once

// Pages for people, embedded in the program. Each comes with a policy that lets it run nothing but its own script, ask
// nobody but this service, and be framed by nobody (Content Security Policy level 3, Trusted Types).

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "http/message.hpp"

namespace latchkey::pages {

/// The admin's console and its parts: GET /, /console.js, /console.css.
http::Response console();
http::Response console_script();
http::Response console_style();

/// The description at /openapi.json as a page, and its parts: GET /docs, /docs.js, /docs.css.
http::Response docs();
http::Response docs_script();
http::Response docs_style();

/// GET /problems/{name}: what a problem type means and what to do. nullopt: there is no such type.
std::optional<http::Response> problem(std::string_view name);
/// GET /problems: all of them.
http::Response problems();

/// Whether a route is one of these: no API, so the description leaves it out.
constexpr bool is_page(std::string_view path) {
  constexpr auto paths = std::to_array<std::string_view>(
      {"/", "/console.js", "/console.css", "/docs", "/docs.js", "/docs.css", "/problems", "/problems/{name}"});
  return std::ranges::find(paths, path) != paths.end();
}

}  // namespace latchkey::pages

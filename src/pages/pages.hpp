#pragma once

// Pages for people, embedded in the program. Each comes with a policy that lets it run nothing but its own script, ask
// nobody but this service, and be framed by nobody (Content Security Policy level 3, Trusted Types).

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace latchkey::pages {

/// Where the console signs in by OpenID Connect. No secret: every page of it says so.
struct SignInProvider {
  std::string issuer;     // as in its discovery document
  std::string origin;     // of the issuer: "https://login.example"
  std::string client_id;  // of the console there
  std::string audience;   // that access tokens must be for
};

/// The admin's console and its parts: GET /, /console.js, /console.css. With a provider it may ask that origin, too.
http::Response console(const std::optional<SignInProvider>& provider = std::nullopt);
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

#include "pages/pages.hpp"

#include <string>

#include "pages/page.hpp"

namespace latchkey::embedded {
extern const std::string_view console_html;
extern const std::string_view console_js;
extern const std::string_view console_css;
extern const std::string_view docs_html;
extern const std::string_view docs_js;
extern const std::string_view docs_css;
}  // namespace latchkey::embedded

namespace latchkey::pages {
namespace {

std::string policy(std::string_view asks) {
  std::string text =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'";
  if (!asks.empty()) text.append(" ").append(asks);
  return text.append(
      "; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
      "trusted-types 'none'");
}

/// What the console's script reads: web/console/oidc.js.
std::string meta_of(const SignInProvider& provider) {
  std::string tag = "<meta name=\"oidc\"";
  const auto attribute = [&](std::string_view name, std::string_view value) {
    tag.append(" data-").append(name).append("=\"");
    append_escaped(tag, value);
    tag.append("\"");
  };
  attribute("issuer", provider.issuer);
  attribute("client-id", provider.client_id);
  attribute("audience", provider.audience);
  return tag.append(">\n");
}

http::Response embedded_part(std::string_view content_type, std::string_view body) {
  http::Response response{200, std::string(content_type), {}, std::string(body)};
  response.with_header("X-Content-Type-Options", "nosniff").with_header("Referrer-Policy", "no-referrer");
  response.with_header("Cross-Origin-Resource-Policy", "same-origin");
  return response.with_header("Cache-Control", "no-cache");
}

http::Response script(std::string_view body) { return embedded_part("text/javascript; charset=utf-8", body); }
http::Response style(std::string_view body) { return embedded_part("text/css; charset=utf-8", body); }

}  // namespace

http::Response page(std::string_view html, std::string_view asks) {
  http::Response response = embedded_part("text/html; charset=utf-8", html);
  response.with_header("Content-Security-Policy", policy(asks))
      .with_header("Cross-Origin-Opener-Policy", "same-origin");
  return response;
}

http::Response console(const std::optional<SignInProvider>& provider) {
  if (!provider) return page(embedded::console_html);
  std::string html(embedded::console_html);
  html.insert(html.find("</head>"), meta_of(*provider));
  return page(html, provider->origin);
}
http::Response console_script() { return script(embedded::console_js); }
http::Response console_style() { return style(embedded::console_css); }
http::Response docs() { return page(embedded::docs_html); }
http::Response docs_script() { return script(embedded::docs_js); }
http::Response docs_style() { return style(embedded::docs_css); }

}  // namespace latchkey::pages

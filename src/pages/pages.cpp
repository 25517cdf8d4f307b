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

constexpr std::string_view policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types "
    "'none'";

http::Response embedded_part(std::string_view content_type, std::string_view body) {
  http::Response response{200, std::string(content_type), {}, std::string(body)};
  response.with_header("X-Content-Type-Options", "nosniff").with_header("Referrer-Policy", "no-referrer");
  response.with_header("Cross-Origin-Resource-Policy", "same-origin");
  return response.with_header("Cache-Control", "no-cache");
}

http::Response script(std::string_view body) { return embedded_part("text/javascript; charset=utf-8", body); }
http::Response style(std::string_view body) { return embedded_part("text/css; charset=utf-8", body); }

}  // namespace

http::Response page(std::string_view html) {
  http::Response response = embedded_part("text/html; charset=utf-8", html);
  response.with_header("Content-Security-Policy", policy).with_header("Cross-Origin-Opener-Policy", "same-origin");
  return response;
}

http::Response console() { return page(embedded::console_html); }
http::Response console_script() { return script(embedded::console_js); }
http::Response console_style() { return style(embedded::console_css); }
http::Response docs() { return page(embedded::docs_html); }
http::Response docs_script() { return script(embedded::docs_js); }
http::Response docs_style() { return style(embedded::docs_css); }

}  // namespace latchkey::pages

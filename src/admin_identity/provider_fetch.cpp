#include "admin_identity/provider_fetch.hpp"

#include <fmt/format.h>

#include <chrono>

#include "admin_identity/provider_url.hpp"
#include "http_client/http_client.hpp"

namespace latchkey::admin_identity {
namespace {

constexpr std::size_t max_document_bytes = 1U << 20U;
constexpr std::chrono::seconds patience{5};

Result<http_client::HttpReply> fetch(const std::string& url, std::function<bool(const IpAddress&)> allowed) {
  http_client::HttpRequest request;
  request.target.url = url;
  request.headers = {"Accept: application/json"};
  request.max_bytes = max_document_bytes;
  request.allowed = std::move(allowed);
  auto reply = http_client::send(request, patience);
  if (reply && reply->status != 200) {
    return Error(ErrorCode::unavailable, fmt::format("{} answers with status {}", url, reply->status));
  }
  return reply;
}

bool any(const IpAddress&) { return true; }

Result<std::string> by_discovery(const std::string& issuer) {
  const auto document = fetch(discovery_url(issuer), any);
  if (!document) return document.error();
  const auto url = jwks_url_in(document->body, issuer);
  if (!url) return url.error();
  const bool own_network = document->from && is_private(*document->from);
  auto keys = fetch(*url, [own_network](const IpAddress& address) { return own_network || !is_private(address); });
  if (!keys) return keys.error();
  return std::move(keys->body);
}

}  // namespace

bool has_provider(const config::Settings& settings) {
  return !settings.admin_oidc_issuer.empty() || !settings.admin_jwks_url.empty();
}

std::string provider_name(const config::Settings& settings) {
  return settings.admin_oidc_issuer.empty() ? "admin_jwks_url (" + settings.admin_jwks_url + ")"
                                            : "admin_oidc_issuer (" + settings.admin_oidc_issuer + ")";
}

Result<void> check_provider(const config::Settings& settings) {
  const auto wrong = [](std::string why) { return Error(ErrorCode::invalid, std::move(why)); };
  const std::string& issuer = settings.admin_oidc_issuer;
  if (const auto checked = check_provider_url(issuer.empty() ? settings.admin_jwks_url : issuer); !checked) {
    // Its name alone: a password in the URL is one of the things that are wrong with it.
    return wrong((issuer.empty() ? "admin_jwks_url: " : "admin_oidc_issuer: ") + checked.error().detail);
  }
  if (settings.admin_audience.empty()) {
    return wrong("set admin_audience as well: without it a token for any other service of the provider would do");
  }
  if (issuer.empty() && settings.admin_issuer.empty()) {
    return wrong("admin_jwks_url needs admin_issuer: several issuers may share one set of keys");
  }
  if (!issuer.empty() && !settings.admin_issuer.empty() && settings.admin_issuer != issuer) {
    return wrong("admin_issuer is another than admin_oidc_issuer: leave it out");
  }
  return {};
}

std::function<Result<std::string>()> provider_fetch(const config::Settings& settings) {
  if (!settings.admin_oidc_issuer.empty()) {
    return [issuer = settings.admin_oidc_issuer] { return by_discovery(issuer); };
  }
  return [url = settings.admin_jwks_url]() -> Result<std::string> {
    auto reply = fetch(url, any);
    if (!reply) return reply.error();
    return std::move(reply->body);
  };
}

}  // namespace latchkey::admin_identity

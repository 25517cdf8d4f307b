#pragma once

// What the operator's rules say about one request, before any key is looked at. Pure.
//
//   request                                    what decides
//   /v1/rules/reports/authorize                the rule named "reports": the proxy's location fixes the path
//   /v1/authorize/items/7                      the first rule that matches the original request: here /items/7, by the
//                                              request's own method (LATCHKEY_ORIGINAL_REQUEST=path)
//   /v1/authorize, X-Original-URI: /items/7    likewise, where a trusted proxy says so (…=x-original, x-forwarded)
//   /v1/tokens/ETH                             the first rule that matches it as it is
//
// Where no rule has a `match`, the original request is not looked at.

#include <optional>
#include <string_view>

#include "access/refusal.hpp"
#include "access/trusted_proxies.hpp"
#include "http/message.hpp"
#include "http/peer.hpp"
#include "rules/rule_table.hpp"

namespace latchkey::tokens_service {

/// LATCHKEY_ORIGINAL_REQUEST: the one source that is read.
enum class OriginalSource : std::uint8_t {
  path,        // what stands behind /v1/authorize, and the request's own method
  x_original,  // X-Original-URI, X-Original-Method
  x_forwarded  // X-Forwarded-Uri, X-Forwarded-Method
};

enum class Preflight : std::uint8_t { refuse, pass };

/// How proxies ask.
struct ForwardAuth {
  OriginalSource source = OriginalSource::path;
  access::TrustedProxies trusted{};
  access::ClientAddress client_address = access::ClientAddress::peer;
  Preflight preflight = Preflight::refuse;
};

struct Original {
  std::string_view method;
  std::string_view target;  // may have a query
};

/// The request that a proxy asks about. nullopt: unknown; with a header as its source, where the peer is not trusted, or
/// either header is missing, empty or doubled.
std::optional<Original> original_of(const http::Request& request, const http::Peer& peer, const ForwardAuth& forward);

struct Ruling {
  enum class Kind : std::uint8_t {
    key,        // a key is asked for, and what `rule` needs, where there is one
    open,       // a public rule: no key is looked at
    preflight,  // a browser's question before its request, which has no key yet: passes
    refused     // for `reason`
  };
  Kind kind = Kind::key;
  const rules::Rule* rule = nullptr;  // lives as long as the table
  access::Refusal reason{};
};

/// Of a request to /v1/authorize and below, or to /v1/rules/{name}/authorize and below (`name`).
Ruling rule_on_question(const http::Request& request, const http::Peer& peer, std::optional<std::string_view> name,
                        const rules::RuleTable& table, const ForwardAuth& forward);
/// Of a request that is its own original: to /v1/tokens and below.
Ruling rule_on_own(const http::Request& request, const rules::RuleTable& table);

}  // namespace latchkey::tokens_service

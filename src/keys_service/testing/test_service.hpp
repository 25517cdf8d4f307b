#pragma once

// The whole service over the reference store, without a socket.

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/testing/temporary_directory.hpp"
#include "http/in_memory.hpp"
#include "jwt/public_keys.hpp"
#include "keys_service/keys_service.hpp"
#include "replica/memory/memory_registry.hpp"
#include "store/memory/memory_store.hpp"

namespace latchkey::keys_service {

class TestService {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  explicit TestService(std::size_t max_queued = 1000, BroadcasterConfig streams = {},
                       replica::ConfirmationsConfig confirmations = {})
      : ring(std::move(*commands::KeyRing::open(directory.path(), store, clock.wall()))),
        pool(4, max_queued),
        service({store, *ring, verifier, clock, random, metrics, pool, replicas}, {streams, confirmations}) {
    admin = mint(jwt::AdminRole::admin);
    viewer = mint(jwt::AdminRole::viewer);
  }

  std::string mint(jwt::AdminRole role, std::chrono::seconds lifetime = std::chrono::hours(1),
                   std::string audience = "latchkey", std::string subject = "ops") {
    return std::string(jwt::mint_admin_token(
                           {std::move(subject), role, "test", std::move(audience), clock.wall(), lifetime}, admin_key)
                           .reveal());
  }

  http::Reply call(http::Method method, std::string_view target, const Headers& headers = {},
                   std::string_view body = {}) {
    std::vector<http::Header> views;
    for (const auto& [name, value] : headers) views.push_back({name, value});
    return http::call(service.router(), method, target, views, body);
  }

  static std::pair<std::string, std::string> bearer(const std::string& token) {
    return {"Authorization", "Bearer " + token};
  }

  /// As the admin, with a JSON body where there is one.
  http::Reply as_admin(http::Method method, std::string_view target, std::string_view body = {},
                       const Headers& more = {}) {
    Headers headers = {bearer(admin)};
    if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
    headers.insert(headers.end(), more.begin(), more.end());
    return call(method, target, headers, body);
  }

  struct Created {
    std::string token;
    std::string id;
    std::string path;
    std::string etag;
  };
  Created create(std::string_view body = R"({"userId":"alice","requestsPerMinute":60})") {
    const auto reply = as_admin(http::Method::post, "/v1/keys", body);
    if (reply.status != 201) throw std::runtime_error("not created: " + reply.body);
    const auto json = object(reply);
    const std::string id(json.at("key").at("keyId").as_string());
    return {std::string(json.at("accessKey").as_string()), id, "/v1/keys/" + id, reply.header("ETag")};
  }

  static json::value object(const http::Reply& reply) { return parse_json(reply.body).value(); }
  /// "/problems/<name>" of an error answer, without the front.
  static std::string problem(const http::Reply& reply) {
    if (reply.header("Content-Type") != "application/problem+json") return "no problem: " + reply.body;
    const auto json = object(reply);
    if (json.at("status").as_int64() != reply.status) return "another status: " + reply.body;
    return std::string(json.at("type").as_string()).substr(std::string_view("/problems/").size());
  }
  static std::vector<std::string> pointers(const http::Reply& reply) {
    std::vector<std::string> out;
    const auto json = object(reply);
    const auto* errors = json.as_object().if_contains("errors");
    if (errors == nullptr) return out;
    for (const auto& error : errors->as_array()) out.emplace_back(error.at("pointer").as_string());
    return out;
  }

  ManualClock clock;
  SystemRandom random;
  Metrics metrics;
  TemporaryDirectory directory;
  store::MemoryStore store{clock, random};
  std::unique_ptr<commands::KeyRing> ring;
  replica::MemoryRegistry replicas;
  const jwt::Ed25519PrivateKey admin_key = jwt::Ed25519PrivateKey::generate();
  jwt::AdminVerifier verifier{jwt::AdminTrust{"test", "latchkey"}, keys_of(admin_key)};

 private:
  static jwt::AdminKeys keys_of(const jwt::Ed25519PrivateKey& key) {
    const auto public_key = key.public_key();
    const std::vector<SigningKey> keys = {{jwt::thumbprint(public_key), public_key, {}, {}, {}}};
    jwt::AdminKeys made;
    made.add_public_keys(jwt::to_jwks(keys)).value();
    return made;
  }

 public:
  WorkerPool pool;
  KeysService service;
  std::string admin;
  std::string viewer;
};

}  // namespace latchkey::keys_service

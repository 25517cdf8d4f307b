#pragma once

// The service with real parts and a clock that stands still, for tests. Keys are put into a change log that the
// projector follows when told to.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json.hpp"
#include "http/in_memory.hpp"
#include "jwt/access_token.hpp"
#include "limit/local/local_limiter.hpp"
#include "tokens_service/tokens_service.hpp"
#include "tokens_service/usage_notes.hpp"

namespace latchkey::tokens_service {

/// A change log in memory; used by the test's thread.
class LogFeed final : public feed::ChangeFeed {
 public:
  explicit LogFeed(const Clock& clock) : clock_(clock) {}
  Result<Position, feed::FeedError> load(feed::SnapshotSink&) override { return Position{epoch, 0}; }
  void resume(const LogEnd&) override {}
  Result<feed::Batch, feed::FeedError> next(Position after, std::chrono::milliseconds) override {
    const auto from = log_.begin() + static_cast<std::ptrdiff_t>(after.seq.value);
    return feed::Batch{{from, log_.end()}, {epoch, log_.size()}, clock_.boot(), false};
  }
  void wake() override {}
  void append(decltype(Change::row) row) { log_.push_back({log_.size() + 1, clock_.wall(), "ops", "create", row}); }
  std::uint64_t size() const { return log_.size(); }

  static constexpr Epoch epoch{0xc0ffee};

 private:
  const Clock& clock_;
  std::vector<Change> log_;
};

class LinesSink final : public report::LogSink {
 public:
  explicit LinesSink(std::string& lines) : lines_(lines) {}
  Result<void> append(std::string_view lines) override {
    lines_ += lines;
    return {};
  }

 private:
  std::string& lines_;
};

/// Asks a store that takes its time: every decision is a round trip. Down, it is unavailable.
class RemoteLimiter final : public limit::RateLimiter {
 public:
  RemoteLimiter(limit::RateLimiter& inner, const bool& down) : inner_(inner), down_(down) {}
  std::optional<limit::Decision> try_admit(KeyId, limit::Limit) override { return std::nullopt; }
  void admit_later(KeyId key, limit::Limit limit, Later done) override {
    down_ ? done({.unavailable = true}) : inner_.admit_later(key, limit, std::move(done));
  }
  limit::Allowance peek(KeyId key, limit::Limit limit) override { return inner_.peek(key, limit); }

 private:
  limit::RateLimiter& inner_;
  const bool& down_;
};

class ServiceFixture : public testing::Test {
 protected:
  ServiceFixture() {
    SigningKey key;
    key.public_key = signer_.public_key();
    key.kid = jwt::thumbprint(key.public_key);
    kid_ = key.kid;
    feed_.append(key);
    follow();
  }

  /// The view holds everything that was put, as of now.
  void follow() {
    projector_.step(std::chrono::milliseconds(0));
    projector_.step(std::chrono::milliseconds(0));
  }
  AccessKey new_key(std::uint32_t requests_per_minute = 60) {
    AccessKey key;
    key.id = KeyId::generate(clock_.wall(), random_);
    key.user_id = "alice";
    key.requests_per_minute = requests_per_minute;
    key.issued_at = {clock_.wall().seconds()};
    return put(key);
  }
  AccessKey put(AccessKey key) {
    key.version = {feed_.size() + 1};
    feed_.append(key);
    follow();
    return key;
  }
  std::string token_of(const AccessKey& key) const { return token_of(key, signer_); }
  std::string token_of(const AccessKey& key, const jwt::Ed25519PrivateKey& signer) const {
    return std::string(jwt::mint_access_token({key.id, key.user_id, key.issued_at, key.role}, kid_, signer).reveal());
  }

  http::Reply get(std::string_view target, const std::string& token, std::vector<http::Header> more = {}) {
    more.push_back({"X-API-Key", token});
    return http::call(service_, http::Method::get, target, more);
  }
  static std::string type_of(const http::Reply& reply) {
    const auto body = parse_json(reply.body);
    return body ? std::string(body->at("type").as_string()) : "no problem: " + reply.body;
  }
  std::string logged() {
    log_.flush();
    return lines_;
  }

  ManualClock clock_;
  SeededRandom random_{20260131};
  jwt::Ed25519PrivateKey signer_ = jwt::Ed25519PrivateKey::generate();
  std::string kid_;
  std::string lines_;
  LogFeed feed_{clock_};
  view::View view_;
  view::Projector projector_{feed_, view_, clock_};
  access::AccessCheck check_{view_, clock_, {}};
  limit::LocalLimiter limiter_{clock_};
  catalog::CurrentCatalog catalog_{catalog::Catalog::built_in()};
  report::RequestLog log_{std::make_unique<LinesSink>(lines_)};
  Metrics metrics_;
  rules::CurrentRules rules_;
  usage::UsageRecorder usage_{usage_outcomes()};
  Parts parts_{view_, projector_, check_, limiter_, catalog_, log_, metrics_, clock_, rules_, {}, nullptr, {}, &usage_};
  TokensService service_{parts_};
};

}  // namespace latchkey::tokens_service

#include "keys_service/key_json.hpp"

#include "base/json.hpp"
#include "base/time_text.hpp"
#include "jwt/base64url.hpp"

namespace latchkey::keys_service {
namespace {

class ObjectWriter {
 public:
  ObjectWriter& text(std::string_view name, std::string_view value) {
    append_json_string(begin(name), value);
    return *this;
  }
  ObjectWriter& raw(std::string_view name, std::string_view value) {
    begin(name) += value;
    return *this;
  }
  ObjectWriter& time(std::string_view name, UnixMillis at) { return text(name, to_rfc3339(at)); }
  ObjectWriter& time(std::string_view name, const std::optional<UnixMillis>& at) {
    return at ? time(name, *at) : raw(name, "null");
  }
  std::string finish() { return std::move(out_) + '}'; }

 private:
  std::string& begin(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    append_json_string(out_, name);
    return out_ += ':';
  }
  std::string out_ = "{";
};

UnixMillis time_of(IssueTime issue) { return {issue.seconds * 1000}; }
std::string position_text(Epoch epoch, std::uint64_t seq) { return Position{epoch, seq}.to_string(); }

std::optional<UnixMillis> grace_of(const AccessKey& key, UnixMillis now) {
  if (!key.previous || key.previous->valid_until <= now) return std::nullopt;
  return key.previous->valid_until;
}

// A row changed by hand may hold anything; one broken row must not break a page of them.
std::string_view shown_metadata(const AccessKey& key) {
  const auto parsed = parse_json(key.metadata);
  return parsed && parsed->is_object() ? std::string_view(key.metadata) : "{}";
}

}  // namespace

std::string to_json(const AccessKey& key, Epoch epoch, UnixMillis now) {
  return ObjectWriter()
      .text("keyId", key.id.to_string())
      .text("userId", key.user_id)
      .text("role", to_string(key.role))
      .text("name", key.name)
      .raw("metadata", shown_metadata(key))
      .raw("requestsPerMinute", std::to_string(key.requests_per_minute))
      .time("issuedAt", time_of(key.issued_at))
      .time("previousValidUntil", grace_of(key, now))
      .time("expiresAt", key.expires_at)
      .text("status", to_string(status_of(key, now)))
      .time("createdAt", key.created_at)
      .time("updatedAt", key.updated_at)
      .text("updatedBy", key.updated_by)
      .text("position", position_text(epoch, key.version))
      .finish();
}

std::string plan_json(const AccessKey& key, Epoch epoch, UnixMillis now) {
  return ObjectWriter()
      .text("keyId", key.id.to_string())
      .text("userId", key.user_id)
      .raw("requestsPerMinute", std::to_string(key.requests_per_minute))
      .time("expiresAt", key.expires_at)
      .text("status", to_string(status_of(key, now)))
      .time("issuedAt", time_of(key.issued_at))
      .text("position", position_text(epoch, key.version))
      .finish();
}

std::string to_json(const SigningKey& key) {
  return ObjectWriter()
      .text("kid", key.kid)
      .text("state", to_string(key.state))
      .text("publicKey", jwt::encode_base64url(key.public_key))
      .time("createdAt", key.created_at)
      .time("updatedAt", key.updated_at)
      .finish();
}

std::string to_json(const Change& change, Epoch epoch) {
  ObjectWriter writer;
  writer.text("position", position_text(epoch, change.seq))
      .time("at", change.at)
      .text("actor", change.actor)
      .text("action", change.action);
  if (const auto* key = std::get_if<AccessKey>(&change.row)) {
    return writer.raw("key", to_json(*key, epoch, change.at)).finish();
  }
  return writer.raw("signingKey", to_json(std::get<SigningKey>(change.row))).finish();
}

std::string signing_keys_json(std::span<const SigningKey> keys) {
  std::string out = "{\"keys\":[";
  for (const auto& key : keys) {
    if (out.back() == '}') out += ',';
    out += to_json(key);
  }
  return out + "]}";
}

std::string etag_of(const AccessKey& key) { return '"' + std::to_string(key.version) + '"'; }

}  // namespace latchkey::keys_service

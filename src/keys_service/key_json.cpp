#include "keys_service/key_json.hpp"

#include "base/json.hpp"
#include "jwt/base64url.hpp"
#include "keys_service/terms_json.hpp"

namespace latchkey::keys_service {
namespace {

UnixMillis time_of(IssueTime issue) { return {issue.seconds * 1000}; }
std::string position_text(Epoch epoch, Seq seq) { return Position{epoch, seq}.to_string(); }

std::optional<UnixMillis> grace_of(const AccessKey& key, UnixMillis now) {
  if (!key.previous || key.previous->valid_until <= now) return std::nullopt;
  return key.previous->valid_until;
}

// A row changed by hand may hold anything; one broken row must not break a page of them.
std::string_view shown_metadata(const AccessKey& key) {
  const auto parsed = parse_json(key.metadata);
  return parsed && parsed->is_object() ? std::string_view(key.metadata) : "{}";
}

void write_limits(JsonWriter& out, const std::optional<LimitList>& limits) {
  if (!limits) {
    out.value(nullptr);
    return;
  }
  out.value(JsonText{to_json(std::span(*limits))});
}

void write(JsonWriter& out, const SigningKey& key) {
  out.begin_object()
      .member("kid", key.kid)
      .member("state", to_string(key.state))
      .member("publicKey", jwt::encode_base64url(key.public_key))
      .member("createdAt", key.created_at)
      .member("updatedAt", key.updated_at)
      .end_object();
}

}  // namespace

void write_members(JsonWriter& out, const AccessKey& key, Epoch epoch, UnixMillis now) {
  out.member("keyId", key.id.to_string())
      .member("userId", key.user_id)
      .member("role", to_string(key.role))
      .member("name", key.name)
      .member("metadata", JsonText{shown_metadata(key)})
      .member("requestsPerMinute", key.requests_per_minute)
      .member("plan", key.plan);
  write_limits(out.name("limits"), own_limits(key));
  write_lists(out, key.scopes ? &*key.scopes : nullptr, key.networks ? &*key.networks : nullptr);
  out.member("labels", JsonText{labels_json(key.labels)});
  out.member("issuedAt", time_of(key.issued_at))
      .member("previousValidUntil", grace_of(key, now))
      .member("expiresAt", key.expires_at)
      .member("status", to_string(status_of(key, now)))
      .member("createdAt", key.created_at)
      .member("updatedAt", key.updated_at)
      .member("updatedBy", key.updated_by)
      .member("position", position_text(epoch, key.version.change()));
}

void write_effective(JsonWriter& out, const AccessKey& key, const commands::KeyTerms& terms) {
  LimitList limits;
  for (const auto& limit : terms.limits) limits.push_back(limit.limit);
  const std::string* plan = plan_of(key, terms.user ? &*terms.user : nullptr);
  out.name("effective").begin_object();
  out.member("plan", plan == nullptr ? std::optional<std::string>() : std::optional(*plan));
  write_limits(out.name("limits"), limits);
  const Plan* of = terms.plan ? &*terms.plan : nullptr;
  write_lists(out, scopes_in_force(key, of), networks_in_force(key, of));
  out.member("userDisabled", terms.user && terms.user->disabled).end_object();
}

std::string to_json(const AccessKey& key, const commands::KeyTerms& terms, Epoch epoch, UnixMillis now) {
  JsonWriter out;
  write_members(out.begin_object(), key, epoch, now);
  write_effective(out, key, terms);
  return out.end_object().take();
}

std::string to_json(const AccessKey& key, Epoch epoch, UnixMillis now) {
  JsonWriter out;
  out.begin_object();
  write_members(out, key, epoch, now);
  return out.end_object().take();
}

service::HeldPlan held_plan_of(const AccessKey& key, const commands::KeyTerms& terms, Epoch epoch, UnixMillis now) {
  std::optional<std::uint32_t> requests_per_minute;
  std::vector<service::HeldPlan::Limit> limits;
  for (const auto& limit : terms.limits) {
    if (const auto number = as_requests_per_minute(limit.limit)) requests_per_minute = number;
    limits.push_back({limit.limit});
  }
  std::stable_partition(limits.begin(), limits.end(), [](const service::HeldPlan::Limit& limit) {
    return std::holds_alternative<LimitWindow>(limit.spec.span);
  });
  return {.key_id = key.id,
          .user_id = key.user_id,
          .requests_per_minute = requests_per_minute,
          .expires_at = key.expires_at,
          .status = status_of(key, now),
          .issued_at = key.issued_at,
          .limits = std::move(limits),
          .position = {epoch, key.version.change()}};
}

void write(JsonWriter& out, const Change& change, Epoch epoch) {
  out.begin_object()
      .member("position", position_text(epoch, change.seq))
      .member("at", change.at)
      .member("actor", change.actor)
      .member("action", change.action);
  if (const auto* key = std::get_if<AccessKey>(&change.row)) {
    out.name("key").begin_object();
    write_members(out, *key, epoch, change.at);
    out.end_object();
  } else if (const auto* signing_key = std::get_if<SigningKey>(&change.row)) {
    write(out.name("signingKey"), *signing_key);
  } else if (const auto* plan = std::get_if<Plan>(&change.row)) {
    write_members(out.name("plan").begin_object(), *plan, epoch);
    out.end_object();
  } else {
    write_members(out.name("user").begin_object(), std::get<User>(change.row), epoch);
    out.end_object();
  }
  out.end_object();
}

void write_members(JsonWriter& out, std::span<const SigningKey> keys) {
  out.name("keys").begin_array();
  for (const auto& key : keys) write(out, key);
  out.end_array();
}

std::string etag_of(const AccessKey& key) { return '"' + std::to_string(key.version.value) + '"'; }

}  // namespace latchkey::keys_service

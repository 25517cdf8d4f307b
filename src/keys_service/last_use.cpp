#include "keys_service/last_use.hpp"

#include <vector>

#include "base/log.hpp"

namespace latchkey::keys_service {

LastUses last_uses_of(usage::UsageReader* usage, std::span<const AccessKey> keys) {
  if (usage == nullptr) return {};
  std::vector<KeyId> ids;
  for (const auto& key : keys) ids.push_back(key.id);
  auto uses = usage->last_uses(ids);
  if (uses) return std::move(*uses);
  log_warning("usage: when keys were used last cannot be read: {} {}", uses.error().detail, uses.error().internal);
  return {};
}

void write_last_use(JsonWriter& out, const LastUses& uses, KeyId key) {
  const auto found = uses.find(key);
  const bool known = found != uses.end();
  out.member("lastUsedAt", known ? std::optional(found->second.time) : std::nullopt)
      .member("lastAddress", known ? found->second.network : std::nullopt);
}

bool is_unused_since(const AccessKey& key, const LastUses& uses, UnixMillis since) {
  const auto found = uses.find(key.id);
  return key.created_at < since && (found == uses.end() || found->second.time < since);
}

}  // namespace latchkey::keys_service

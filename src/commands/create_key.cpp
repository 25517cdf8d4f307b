#include "commands/create_key.hpp"

namespace latchkey::commands {

Result<AccessKey> decide(const CreateKey& command, KeyId id, const Act& act) {
  const auto expires_at = resolve(command.expiry, act.now);
  if (!expires_at) return expires_at.error();
  AccessKey key;
  key.id = id;
  key.user_id = command.user_id;
  key.name = command.name;
  key.metadata = command.metadata;
  key.requests_per_minute = command.requests_per_minute;
  key.issued_at = {act.now.seconds()};
  key.expires_at = *expires_at;
  key.created_at = act.now;
  key.updated_at = act.now;
  key.updated_by = act.actor;
  return key;
}

void create_key(store::KeyStore& store, KeyRing& ring, CreateKey command, KeyId id, const Act& act,
                const std::optional<IdempotencyKey>& idempotency, IssuedDone done) {
  auto make = [command = std::move(command), id, act](store::Transaction& transaction) -> Result<AccessKey> {
    auto key = decide(command, id, act);
    if (!key) return key;
    const auto version = transaction.put_key(*key, "create");
    if (!version) return version.error();
    key->version = *version;
    return key;
  };
  issue(store, ring, act, idempotency, std::move(make), std::move(done));
}

}  // namespace latchkey::commands

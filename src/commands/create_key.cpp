#include "commands/create_key.hpp"

#include "commands/key_terms.hpp"
#include "commands/named_change.hpp"

namespace latchkey::commands {

Result<AccessKey> decide(const CreateKey& command, KeyId id, const Author& author) {
  const auto expires_at = resolve(command.expiry, author.now);
  if (!expires_at) return expires_at.error();
  AccessKey key;
  key.id = id;
  key.user_id = command.user_id;
  key.name = command.name;
  key.metadata = command.metadata;
  key.plan = command.plan;
  key.requests_per_minute = command.requests_per_minute;
  if (command.limits) {
    if (const auto checked = check_time_zones(*command.limits); !checked) return checked.error();
    set_own_limits(key, command.limits);
  }
  key.scopes = command.scopes;
  key.networks = command.networks;
  key.labels = command.labels;
  key.issued_at = {author.now.seconds()};
  key.expires_at = *expires_at;
  key.created_at = author.now;
  key.updated_at = author.now;
  key.updated_by = author.actor;
  return key;
}

void create_key(store::KeyStore& store, KeyRing& ring, CreateKey command, KeyId id, const Author& author,
                const std::optional<IdempotencyKey>& idempotency, IssuedDone done) {
  auto make = [command = std::move(command), id, author](store::Transaction& transaction) -> Result<AccessKey> {
    auto key = decide(command, id, author);
    if (!key) return key;
    if (const auto checked = check_key_terms(transaction, *key); !checked) return checked.error();
    const auto version = transaction.put_key(*key, "create");
    if (!version) return version.error();
    key->version = *version;
    return key;
  };
  issue(store, ring, author, idempotency, std::move(make), std::move(done));
}

}  // namespace latchkey::commands

#pragma once

#include "commands/expiry.hpp"
#include "commands/issue.hpp"

namespace latchkey::commands {

/// Its members keep the rules of key/access_key.hpp; when the expiry lies is judged by decide().
struct CreateKey {
  std::string user_id;
  std::optional<std::uint32_t> requests_per_minute;
  Expiry expiry = Never{};
  std::string name;
  std::string metadata = "{}";
  std::optional<std::string> plan{};
  std::optional<LimitList> limits{};  // all of its own; not together with requests_per_minute
  std::optional<ScopeList> scopes{};
  std::optional<NetworkList> networks{};
  Labels labels{};
};

/// The first row of a key.
Result<AccessKey> decide(const CreateKey& command, KeyId id, const Author& author);

void create_key(store::KeyStore& store, KeyRing& ring, CreateKey command, KeyId id, const Author& author,
                const std::optional<IdempotencyKey>& idempotency, IssuedDone done);

}  // namespace latchkey::commands

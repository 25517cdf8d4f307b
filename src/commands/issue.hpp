#pragma once

// Commands that give out a token: create and rotate. The token itself is never stored. Ed25519 is deterministic, so the
// row of the change and the name of the signing key are enough to make the same token again for a repeated request.

#include <functional>
#include <optional>
#include <string>

#include "commands/key_change.hpp"
#include "commands/key_ring.hpp"

namespace latchkey::commands {

constexpr std::size_t max_idempotency_key_bytes = 128;

/// The client's name for one intended command, per actor; visible ASCII.
struct IdempotencyKey {
  std::string key;
  std::string request_digest;  // of method, path and body, in whatever order its members came
  std::string earlier_digest;  // of the body's very octets, as versions before 0.2 have recorded it
};

/// A row and the signing key of its token: KeyRing::mint() makes the token. `key.version` is the seq of the change.
struct Issued {
  AccessKey key;
  std::string kid;
  LogEnd commit;     // from which on every reader sees it so; of a repetition, the first one's change
  KeyTerms terms{};  // that were in force when it was answered
};
using IssuedDone = std::move_only_function<void(Result<Issued>)>;

/// One transaction: a repetition answers with what the first request made; else `make` writes the row and, with an
/// idempotency key, what it made is remembered. Two at the same time: the later one finds the earlier one's record.
/// The same idempotency key with another request is ErrorCode::idempotency_mismatch; a repetition after its signing key
/// has been retired, so that its token would be worth nothing, ErrorCode::not_repeatable. `ring` outlives the call of
/// `done`.
void issue(store::KeyStore& store, KeyRing& ring, const Author& author,
           const std::optional<IdempotencyKey>& idempotency, std::function<Result<AccessKey>(store::Transaction&)> make,
           IssuedDone done);

}  // namespace latchkey::commands

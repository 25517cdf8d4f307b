#pragma once

#include <vector>

#include "commands/key_change.hpp"
#include "commands/key_ring.hpp"

namespace latchkey::commands {

enum class EarlierKeys : std::uint8_t {
  keep_verifying,  // tokens they signed stay good
  retire,          // tokens they signed are refused from now on
};

/// The rows to write, those that step down first: at no point do two keys sign.
std::vector<SigningKey> decide_signing_key_rotation(const std::vector<SigningKey>& current, const SigningKey& fresh,
                                                    EarlierKeys earlier, UnixMillis now);

struct SigningKeysAnswer {
  std::vector<SigningKey> keys;
  LogEnd commit;
};
using SigningKeysDone = std::move_only_function<void(Result<SigningKeysAnswer>)>;

/// Writes the new private key to disk before its public half is committed. Signing keys that other management services
/// hold step down only when retired; then those make new ones when they issue next. `ring` outlives the call of `done`.
void rotate_signing_key(store::KeyStore& store, KeyRing& ring, EarlierKeys earlier, const Author& author,
                        SigningKeysDone done);

}  // namespace latchkey::commands

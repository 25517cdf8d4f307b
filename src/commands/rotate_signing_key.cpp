#include "commands/rotate_signing_key.hpp"

#include <algorithm>
#include <memory>

namespace latchkey::commands {

std::vector<SigningKey> decide_signing_key_rotation(const std::vector<SigningKey>& current, const SigningKey& fresh,
                                                    EarlierKeys earlier, UnixMillis now) {
  const auto stepped_down = earlier == EarlierKeys::retire ? SigningKeyState::retired : SigningKeyState::verifying;
  std::vector<SigningKey> rows;
  for (SigningKey key : current) {
    const bool touched = key.state == SigningKeyState::signing ||
                         (earlier == EarlierKeys::retire && key.state == SigningKeyState::verifying);
    if (!touched) continue;
    key.state = stepped_down;
    key.updated_at = std::max(now, UnixMillis{key.updated_at.count + 1});
    rows.push_back(std::move(key));
  }
  rows.push_back(fresh);
  return rows;
}

void rotate_signing_key(store::KeyStore& store, KeyRing& ring, EarlierKeys earlier, const Author& author,
                        SigningKeysDone done) {
  auto fresh = ring.generate(author.now);
  if (!fresh) return done(fresh.error());
  auto keys = std::make_shared<std::vector<SigningKey>>();
  store.transact(
      [keys, &ring, fresh = std::move(*fresh), earlier, author](store::Transaction& transaction) -> Result<void> {
        auto current = transaction.signing_keys();
        if (!current) return current.error();
        // Another service's key goes on signing there: only the service that holds a key can put the next in its place.
        if (earlier == EarlierKeys::keep_verifying) {
          std::erase_if(*current, [&](const SigningKey& key) { return !ring.holds(key.kid); });
        }
        for (const auto& row : decide_signing_key_rotation(*current, fresh, earlier, author.now)) {
          if (const auto put = transaction.put_signing_key(row, author.actor); !put) return put.error();
        }
        auto after = transaction.signing_keys();
        if (!after) return after.error();
        *keys = std::move(*after);
        return transaction.note(author.note);
      },
      [keys, done = std::move(done)](Result<LogEnd> commit) mutable {
        if (!commit) return done(commit.error());
        done(SigningKeysAnswer{std::move(*keys), *commit});
      });
}

}  // namespace latchkey::commands

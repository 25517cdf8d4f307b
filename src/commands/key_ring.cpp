#include "commands/key_ring.hpp"

#include <algorithm>
#include <mutex>
#include <system_error>

#include "base/log.hpp"
#include "commands/secret_file.hpp"
#include "jwt/access_token.hpp"

namespace latchkey::commands {
namespace {

namespace fs = std::filesystem;

/// Of the base64url alphabet: a row of the store names a file here.
bool is_kid(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

Error broken(std::string why) { return Error(ErrorCode::internal, "", std::move(why)); }

}  // namespace

Result<std::unique_ptr<KeyRing>> KeyRing::open(const fs::path& data_directory, store::KeyStore& store, UnixMillis now,
                                               Sharing sharing) {
  std::unique_ptr<KeyRing> ring(new KeyRing(data_directory / "secrets" / "signing"));
  if (const auto made = make_private_directory(ring->directory_); !made) return made.error();
  if (const auto loaded = ring->load(); !loaded) return loaded.error();
  if (const auto ensured = ring->ensure_signing_key(store, now, sharing); !ensured) return ensured.error();
  return ring;
}

Result<void> KeyRing::load() {
  std::error_code error;
  for (fs::directory_iterator at(directory_, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() != ".pem") continue;
    if (auto loaded = load_file(at->path()); !loaded) return loaded;
  }
  if (error) return broken("cannot list " + directory_.string() + ": " + error.message());
  return {};
}

Result<void> KeyRing::load_file(const fs::path& file) {
  const auto pem = read_secret_file(file);
  if (!pem) return pem.error();
  auto key = jwt::Ed25519PrivateKey::from_pem(*pem);
  if (!key) return broken(file.string() + " is not an Ed25519 private key");
  std::string kid = jwt::thumbprint(key->public_key());
  if (kid != file.stem()) return broken(file.string() + " holds another key than its name says");
  const std::unique_lock lock(mutex_);
  keys_.emplace(std::move(kid), std::move(*key));
  return {};
}

bool KeyRing::holds(std::string_view kid) {
  {
    const std::shared_lock lock(mutex_);
    if (keys_.contains(kid)) return true;
  }
  std::error_code none;
  const fs::path file = directory_ / (std::string(kid) + ".pem");
  return is_kid(kid) && fs::exists(file, none) && load_file(file);
}

Result<void> KeyRing::ensure_signing_key(store::KeyStore& store, UnixMillis now, Sharing sharing) {
  const auto rows = store.signing_keys();
  if (!rows) return rows.error();
  const SigningKey* foreign = nullptr;
  for (const auto& key : *rows) {
    if (key.state != SigningKeyState::signing) continue;
    if (holds(key.kid)) return {};
    foreign = &key;
  }
  if (foreign != nullptr && sharing == Sharing::sole) {
    return broken("the private half of signing key " + foreign->kid + " is not in " + directory_.string());
  }
  if (foreign != nullptr) log_warning("signing keys: {} is another service's; this one makes its own", foreign->kid);
  const auto first = generate(now);
  if (!first) return first.error();
  const auto done = store.transact_and_wait([&](store::Transaction& transaction) -> Result<void> {
    const auto put = transaction.put_signing_key(*first, "latchkey");
    if (!put) return put.error();
    return {};
  });
  if (!done) return done.error();
  return {};
}

Result<SigningKey> KeyRing::generate(UnixMillis now) {
  auto key = jwt::Ed25519PrivateKey::generate();
  SigningKey row;
  row.public_key = key.public_key();
  row.kid = jwt::thumbprint(row.public_key);
  row.created_at = now;
  row.updated_at = now;
  const auto written = write_secret_file(directory_ / (row.kid + ".pem"), key.to_pem());
  if (!written) return written.error();
  const std::unique_lock lock(mutex_);
  keys_.emplace(row.kid, std::move(key));
  return row;
}

Result<Secret> KeyRing::mint(const AccessKey& key, std::string_view kid) const {
  const std::shared_lock lock(mutex_);
  const auto found = keys_.find(kid);
  if (found == keys_.end()) return broken("no private key for kid " + std::string(kid));
  return jwt::mint_access_token({key.id, key.user_id, key.issued_at, key.role}, kid, found->second);
}

}  // namespace latchkey::commands

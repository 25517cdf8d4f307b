#pragma once

// The private halves of the signing keys: `<data>/secrets/signing/<kid>.pem`, PKCS#8, 0600 in a directory of 0700.
// They never leave this process and these files; the public halves are rows of the store.
//
// Several management services on one store either share this directory, and then sign with the same key, or have one
// each, and then each a signing key of its own. Either way a service signs with a key that it holds.

#include <filesystem>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "jwt/ed25519.hpp"
#include "store/key_store.hpp"

namespace latchkey::commands {

/// Which signing keys the store may have besides ours.
enum class Sharing : std::uint8_t {
  sole,    // none: one without its private half has been lost
  shared,  // those of other management services
};

/// Any thread may call any method.
class KeyRing {
 public:
  /// Reads the files, and makes a signing key where the store has none, or none of ours though it is shared.
  /// ErrorCode::internal with a text for the operator when a file cannot be read or written, is not what its name says,
  /// or when the private half of a sole store's signing key is not there.
  static Result<std::unique_ptr<KeyRing>> open(const std::filesystem::path& data_directory, store::KeyStore& store,
                                               UnixMillis now, Sharing sharing = Sharing::sole);

  /// Whether the private half is here; looks for a file that another service has put there meanwhile.
  bool holds(std::string_view kid);

  /// A new key pair. The private half is on disk for good (file and directory synced) when this returns; the public
  /// half is the row to be committed.
  Result<SigningKey> generate(UnixMillis now);

  /// The token of this issue of the key, always the same. Fails with ErrorCode::internal for a kid that is not here.
  Result<Secret> mint(const AccessKey& key, std::string_view kid) const;

 private:
  explicit KeyRing(std::filesystem::path directory) : directory_(std::move(directory)) {}
  Result<void> load();
  Result<void> load_file(const std::filesystem::path& file);
  Result<void> ensure_signing_key(store::KeyStore& store, UnixMillis now, Sharing sharing);

  const std::filesystem::path directory_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, jwt::Ed25519PrivateKey, std::less<>> keys_;  // by kid; guarded by mutex_
};

}  // namespace latchkey::commands

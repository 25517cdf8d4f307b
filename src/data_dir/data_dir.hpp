#pragma once

// The data directory, readable by its owner only, or by the group that a volume was given to:
//   latchkey.db            the store
//   latchkey.db-witness    how far its log was ever shown, which no backup knows (store/sqlite/witness.hpp)
//   view.snapshot          the tokens service's own copy of its view
//   replicas.db            where the replica stands, by its own word
//   relayed.db             the same of those that follow a stream, entered by the relay
//   usage.db               what the replica counted (usage/usage_schema.hpp)
//   secrets/               0700: admin.pem (development key of admin tokens), signing/ (private signing keys),
//                          memos.key (vouches for state/memos)
//   logs/requests.jsonl    the request log
//   state/limits           permits in use, for the next `latchkey tokens` (limit/local/limit_file.hpp)
//   state/memos            proven tokens, for the same (view/memo_log.hpp)
//   state/replica          what the next `latchkey tokens` may go on with (replica/successor_state.hpp)
//   state/relayed          made by the first `latchkey relay`: there may be replicas that are not in replicas.db
//   run/keys.url, tokens.url   where a running service listens; a killed one leaves it, so ask published_url()
//   run/*.lock             held by the `latchkey up`, `keys` or `tokens` that runs here, or shared by its relays

#include <chrono>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "data_dir/run_lock.hpp"
#include "jwt/ed25519.hpp"

namespace latchkey::data_dir {

/// Admin tokens of the development key carry these, and a service that trusts the key demands them.
constexpr std::string_view dev_admin_issuer = "latchkey-dev";
constexpr std::string_view dev_admin_audience = "latchkey-admin";

enum class Service : std::uint8_t { keys, tokens };
std::string_view to_string(Service service);

/// A value: names paths, holds nothing open.
class DataDir {
 public:
  /// Creates what is missing, 0700, and makes secrets 0600 of the process. Refuses, with ErrorCode::unavailable and
  /// the remedy in its text, a directory that others may write to: data_dir/private_files.hpp names them.
  static Result<DataDir> open_or_create(const std::filesystem::path& path);
  /// For clients: creates nothing, checks nothing.
  static DataDir at(const std::filesystem::path& path) { return DataDir(path); }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path database() const { return path_ / "latchkey.db"; }
  std::filesystem::path view_snapshot() const { return path_ / "view.snapshot"; }
  std::filesystem::path replicas() const { return path_ / "replicas.db"; }
  std::filesystem::path relayed_replicas() const { return path_ / "relayed.db"; }
  std::filesystem::path usage() const { return path_ / "usage.db"; }
  std::filesystem::path replica_state() const { return path_ / "state" / "replica"; }
  std::filesystem::path relayed() const { return path_ / "state" / "relayed"; }
  std::filesystem::path secrets() const { return path_ / "secrets"; }
  std::filesystem::path signing_keys() const { return path_ / "secrets" / "signing"; }
  std::filesystem::path admin_key() const { return path_ / "secrets" / "admin.pem"; }
  std::filesystem::path request_log() const { return path_ / "logs" / "requests.jsonl"; }
  std::filesystem::path limits() const { return path_ / "state" / "limits"; }
  std::filesystem::path limits_ledger() const { return path_ / "state" / "limits-ledger"; }
  std::filesystem::path memos() const { return path_ / "state" / "memos"; }
  std::filesystem::path url_file(Service service) const;

  /// secrets/admin.pem, made by the first process that asks: processes that race all get the same key.
  Result<jwt::Ed25519PrivateKey> load_or_create_admin_key() const;
  /// secrets/admin.pem if there is one; ErrorCode::not_found otherwise.
  Result<jwt::Ed25519PrivateKey> load_admin_key() const;

  /// secrets/memos.key: 32 random bytes, made by the first process that asks.
  Result<Secret> load_or_create_memo_secret(Random& random) const;

  /// For the one process that may run `latchkey NAME` here; ErrorCode::conflict where one does.
  Result<RunLock> lock(std::string_view name) const;
  /// For each of those that may run here at once, such as relays: keeps lock() of the same name away.
  Result<RunLock> share(std::string_view name) const;
  /// For a command that works on the files while nothing may run here: the locks of all, ErrorCode::conflict where one
  /// runs. Makes no file: that a service never ran here is something to know (ever_ran()).
  Result<std::vector<RunLock>> lock_all() const;
  /// The lock of a service that starts, with what a killed predecessor published cleared away. Waits for one that is
  /// ending: a second where it still says that it listens, else `patience`, by default as long as requests in progress
  /// may take. The same second outlasts any request for the published URL just then.
  Result<RunLock> claim(Service service, std::chrono::milliseconds patience = longest_ending) const;
  static constexpr std::chrono::milliseconds longest_ending{15'000};

  /// To be asked now and then of the lock that claim() gave: whether it is still the one by which others find that the
  /// service runs (hold_run_lock()).
  bool still_claimed(Service service, RunLock& claim) const;

  /// Whether the service runs here now, or is about to.
  bool runs(Service service) const;
  /// Whether the service ever started here, by anything that it leaves behind: a lock's file alone may have been
  /// removed. Asked before claim().
  bool ever_ran(Service service) const;

  /// A service calls the first once it listens and the second, with the same URLs, when it stops. The file, a line each,
  /// is replaced whole, and left alone if it says other URLs by then.
  Result<void> publish_urls(Service service, std::span<const std::string> urls) const;
  void withdraw_urls(Service service, std::span<const std::string> urls) const;
  /// Where the service listens; empty where none runs, whatever a killed one left: another's port may be there now.
  std::vector<std::string> published_urls(Service service) const;
  /// The first of them.
  std::optional<std::string> published_url(Service service) const;

 private:
  explicit DataDir(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path lock_file(std::string_view name) const;
  std::filesystem::path path_;
};

}  // namespace latchkey::data_dir

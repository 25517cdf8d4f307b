#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "admin_identity/provider_keys.hpp"
#include "base/error.hpp"
#include "base/mutex.hpp"
#include "base/wakeable_thread.hpp"
#include "config/settings.hpp"
#include "data_dir/data_dir.hpp"
#include "jwt/admin_token.hpp"

namespace latchkey::admin_identity {

/// Which admin tokens the management service believes: the configured keys, or else the data directory's development
/// key with an issuer and audience of its own.
///
/// The configured file is read again when it changes and when asked to. A file that cannot be used leaves the keys of
/// before in force; the log says so, and which keys of a good one were skipped.
class Admins {
 public:
  static constexpr std::chrono::milliseconds look_every{1000};

  static Result<std::unique_ptr<Admins>> open(const config::Settings& settings, const data_dir::DataDir& data,
                                              std::chrono::milliseconds every = look_every);
  const jwt::AdminVerifier& verifier() const { return verifier_; }
  /// Whether its keys can be believed, and how to get newer ones.
  jwt::AdminKeySource& source() {
    if (provider_) return *provider_;
    return no_provider_;
  }
  /// On SIGHUP. Any thread may call.
  void read_again();
  /// Those that wait for newer keys wait no more.
  void stop_waiting() {
    if (provider_) provider_->stop();
  }

 private:
  Admins(const config::Settings& settings, jwt::AdminTrust trust)
      : settings_(settings), verifier_(std::move(trust), {}) {}
  Result<void> load();
  void watch(std::chrono::milliseconds every);
  void look(bool asked);

  const config::Settings settings_;
  jwt::AdminVerifier verifier_;
  Mutex mutex_;
  Secret seen_ GUARDED_BY(mutex_);  // what was found last, keys or error
  const SystemClock clock_{};
  jwt::AdminKeySource no_provider_{};
  std::unique_ptr<ProviderKeys> provider_;  // none: a file, or the development key
  WakeableThread watcher_;                  // last: it uses all of the above
};

/// Whether the configured files can be read and hold keys, and the settings agree; touches no data directory.
Result<void> check_admin_keys(const config::Settings& settings);

}  // namespace latchkey::admin_identity

#pragma once

// Admin keys from an identity provider, by discovery or by the URL of its JWK Set, kept up to date by a thread.

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "admin_identity/renewal.hpp"
#include "base/clock.hpp"
#include "base/condition.hpp"
#include "base/error.hpp"
#include "jwt/admin_key_source.hpp"
#include "jwt/admin_token.hpp"

namespace latchkey::admin_identity {

/// Any thread may call.
class ProviderKeys final : public jwt::AdminKeySource {
 public:
  struct Source {
    std::string name;                                              // for the log
    std::function<Result<std::string>()> fetch;                    // the JWK Set's text; bounded in time
    std::function<Result<jwt::AdminKeys>(std::string_view)> read;  // its keys
  };

  /// `verifier` and `clock` outlive it. Begins to fetch; the provider need not be there yet.
  ProviderKeys(Source source, jwt::AdminVerifier& verifier, const Clock& clock, RenewalTimes times = {});
  ~ProviderKeys() override;

  bool usable() const override;
  bool when_renewed(std::function<void()> then) override;
  /// On SIGHUP.
  void ask();
  /// Fetches no more, and tells all that wait. Idempotent.
  void stop();

  static constexpr std::size_t most_waiting = 64;

 private:
  void run();
  bool await_due();
  bool fetch();

  const Source source_;
  jwt::AdminVerifier& verifier_;
  const Clock& clock_;
  mutable Mutex mutex_;
  Condition changed_;
  Renewal renewal_ GUARDED_BY(mutex_);
  std::vector<std::function<void()>> waiting_ GUARDED_BY(mutex_);  // for the next fetch that begins
  bool asked_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool stopped_ GUARDED_BY(mutex_) = false;
  std::string seen_;       // the thread's: the text in force
  std::string complaint_;  // the thread's: what was said last
  std::thread thread_;     // last: it uses all of the above
};

}  // namespace latchkey::admin_identity

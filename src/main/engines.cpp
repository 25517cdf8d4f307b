#include "main/engines.hpp"

#include <filesystem>

#include "base/log.hpp"
#include "feed/sqlite/sqlite_feed.hpp"
#include "limit/local/local_limiter.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace latchkey::engines {

using cli::DataDir;
using cli::Settings;

Result<void> check(const Settings& settings) {
  if (settings.store == "sqlite" && settings.stream == "none" && settings.limiter == "local") return {};
  return Error(ErrorCode::invalid,
               "this build has the embedded engine only: store = sqlite, stream = none, limiter = local");
}

namespace {

/// A file that was lost must not come back as an empty one without a word. Asked by name only, never opened.
void warn_of_lost_database(const DataDir& data) {
  std::error_code none;
  const auto size = std::filesystem::file_size(data.database(), none);
  if (!none && size > 0) return;
  if (std::filesystem::is_empty(data.signing_keys(), none)) return;
  log_warning("{} is gone or empty although there are signing keys: a new database is made, which knows no access key",
              data.database().string());
}

}  // namespace

Result<std::unique_ptr<store::KeyStore>> open_store(const Settings&, const DataDir& data, Clock& clock,
                                                    Random& random) {
  warn_of_lost_database(data);
  return store::open_sqlite(data.database(), clock, random);
}

Result<std::unique_ptr<feed::ChangeFeed>> open_feed(const Settings&, const DataDir& data, Clock& clock) {
  return std::make_unique<feed::SqliteFeed>(data.database(), clock);
}

Result<std::unique_ptr<limit::RateLimiter>> open_limiter(const Settings&, const DataDir&, Clock& clock) {
  return std::make_unique<limit::LocalLimiter>(clock);
}

}  // namespace latchkey::engines

// Engines for commands that start no service: `latchkey store verify` and `latchkey backtest`.

#include "data_dir/data_dir.hpp"
#include "limit/local/local_limiter.hpp"
#include "main/services.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/sqlite/audit.hpp"

namespace latchkey {

Result<cli::Verified> verify_store(const config::Settings& settings) {
  const bool embedded = settings.store == "sqlite";
  const auto file = data_dir::DataDir::at(settings.data_dir).database();
  if (std::error_code none; embedded && !std::filesystem::exists(file, none)) {
    return Error(ErrorCode::not_found, "there is no store at " + file.string());
  }
  const auto verified = embedded ? store::verify_sqlite_chain(file) : store::verify_postgres_chain(settings.store);
  if (!verified) return verified.error();
  return cli::Verified{!verified->report.broken, to_text(verified->report, verified->epoch)};
}

std::unique_ptr<limit::RateLimiter> new_limiter(const Clock& clock) {
  return std::make_unique<limit::LocalLimiter>(clock);
}

}  // namespace latchkey

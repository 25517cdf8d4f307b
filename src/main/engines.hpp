#pragma once

// Which engine stands behind which interface, by the settings. Only this folder names engines.

#include <memory>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "cli/data_dir.hpp"
#include "cli/settings.hpp"
#include "feed/change_feed.hpp"
#include "limit/rate_limiter.hpp"
#include "store/key_store.hpp"

namespace latchkey::engines {

/// Whether this build has the engines that the settings name, in this combination.
Result<void> check(const cli::Settings& settings);

// What is given by reference outlives what is returned.

/// LATCHKEY_STORE, for the management service.
Result<std::unique_ptr<store::KeyStore>> open_store(const cli::Settings& settings, const cli::DataDir& data,
                                                    Clock& clock, Random& random);
/// LATCHKEY_STREAM, or LATCHKEY_STORE itself where there is none. The store need not be reachable yet.
Result<std::unique_ptr<feed::ChangeFeed>> open_feed(const cli::Settings& settings, const cli::DataDir& data,
                                                    Clock& clock);
/// LATCHKEY_LIMITER.
Result<std::unique_ptr<limit::RateLimiter>> open_limiter(const cli::Settings& settings, const cli::DataDir& data,
                                                         Clock& clock);

}  // namespace latchkey::engines

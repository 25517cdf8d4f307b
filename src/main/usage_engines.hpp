#pragma once

// Where usage is written and read, by the settings.

#include <memory>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "config/settings.hpp"
#include "data_dir/data_dir.hpp"
#include "usage/usage_reader.hpp"
#include "usage/usage_store.hpp"

namespace latchkey::engines {

/// For a replica: the store's tables, or its own file beside an embedded one, or LATCHKEY_STREAM, from which a relay
/// carries it on. None of them need be reachable yet. What is given by reference outlives what is returned.
Result<std::unique_ptr<usage::UsageSink>> open_usage_sink(const config::Settings& settings,
                                                          const data_dir::DataDir& data, const Clock& clock);
/// For the relay, and for what it carries on.
Result<std::unique_ptr<usage::UsageSink>> open_usage_store(const config::Settings& settings,
                                                           const data_dir::DataDir& data, const Clock& clock,
                                                           usage::UsageStore::Writers writers);
/// For the management service.
Result<std::unique_ptr<usage::UsageReader>> open_usage_reader(const config::Settings& settings,
                                                              const data_dir::DataDir& data);

}  // namespace latchkey::engines

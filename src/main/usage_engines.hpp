#pragma once

// Where usage is written and read, by the settings.

#include <functional>
#include <memory>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "config/settings.hpp"
#include "data_dir/data_dir.hpp"
#include "usage/redis/usage_drain.hpp"
#include "usage/usage_reader.hpp"
#include "usage/usage_store.hpp"

namespace latchkey::engines {

/// For a replica: the store's tables, or its own file beside an embedded one, or LATCHKEY_STREAM, from which a relay
/// carries it on. None of them need be reachable yet. What is given by reference outlives what is returned.
Result<std::unique_ptr<usage::UsageSink>> open_usage_sink(const config::Settings& settings,
                                                          const data_dir::DataDir& data, const Clock& clock);
/// For the relay: where batches of the stream go, and how they come, while it follows.
struct UsageOfStream {
  std::unique_ptr<usage::UsageSink> store;
  std::unique_ptr<usage::UsageDrain> drain;
};
Result<UsageOfStream> open_usage_of_stream(const config::Settings& settings, const data_dir::DataDir& data,
                                           const Clock& clock, std::function<bool()> follows);
/// For the management service.
Result<std::unique_ptr<usage::UsageReader>> open_usage_reader(const config::Settings& settings,
                                                              const data_dir::DataDir& data);

}  // namespace latchkey::engines

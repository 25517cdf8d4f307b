#pragma once

// Which engine stands behind which interface, by the settings. Only this folder names engines.

#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "commands/key_ring.hpp"
#include "config/settings.hpp"
#include "data_dir/data_dir.hpp"
#include "feed/change_feed.hpp"
#include "feed/digest_source.hpp"
#include "limit/rate_limiter.hpp"
#include "relay/redis/digest_desk.hpp"
#include "relay/stream.hpp"
#include "replica/redis/report_drain.hpp"
#include "replica/replica_registry.hpp"
#include "replica/replica_reporter.hpp"
#include "store/key_store.hpp"

namespace latchkey::engines {

/// What is wrong with the URLs of the engines that the settings name, by setting.
std::vector<FieldError> configuration_errors(const config::Settings& settings);
/// The first of configuration_errors(), in one text.
Result<void> check(const config::Settings& settings);

// What is given by reference outlives what is returned.

/// LATCHKEY_STORE, for the management service.
Result<std::unique_ptr<store::KeyStore>> open_store(const config::Settings& settings, const data_dir::DataDir& data,
                                                    Clock& clock, Random& random);
/// Whether open_store() failed since its server is not there, which may come.
bool is_away(const config::Settings& settings, const Error& error);
/// Whether other management services may work on the same store.
commands::Sharing sharing(const config::Settings& settings);
/// LATCHKEY_STREAM, or LATCHKEY_STORE itself where there is none. The store need not be reachable yet.
Result<std::unique_ptr<feed::ChangeFeed>> open_feed(const config::Settings& settings, const data_dir::DataDir& data,
                                                    Clock& clock);
/// What the rows behind open_feed() add up to, and behind open_store_feed().
Result<std::unique_ptr<feed::DigestSource>> open_digest(const config::Settings& settings, const data_dir::DataDir& data,
                                                        const Clock& clock);
Result<std::unique_ptr<feed::DigestSource>> open_store_digest(const config::Settings& settings,
                                                              const data_dir::DataDir& data);
/// Names what open_feed() reads, so that a copy of one store is not taken for a copy of another.
std::string source_of(const config::Settings& settings, const data_dir::DataDir& data);
/// LATCHKEY_STORE itself, for the relay.
Result<std::unique_ptr<feed::ChangeFeed>> open_store_feed(const config::Settings& settings,
                                                          const data_dir::DataDir& data, Clock& clock);
/// LATCHKEY_STREAM, for the relay. Redis need not be reachable yet.
Result<std::unique_ptr<relay::Stream>> open_stream(const config::Settings& settings, Clock& clock);
/// For the relay: the object that answers what readers of its stream ask, with open_store_digest(), while it follows.
Result<std::unique_ptr<relay::DigestDesk>> open_desk(const config::Settings& settings, feed::DigestSource& store,
                                                     const Clock& clock, relay::DigestDesk::FollowedEpoch followed);
/// LATCHKEY_LIMITER. `ran_before`: requests may have been admitted from this data directory. Redis need not be
/// reachable yet.
Result<std::unique_ptr<limit::RateLimiter>> open_limiter(const config::Settings& settings,
                                                         const data_dir::DataDir& data, bool ran_before,
                                                         const Clock& clock, Metrics& metrics);
/// Where replicas are accounted for, as the management service sees it.
Result<std::unique_ptr<replica::ReplicaRegistry>> open_registry(const config::Settings& settings,
                                                                const data_dir::DataDir& data, const Clock& clock);
/// Before a replica, or a relay, leaves any other trace in the data directory: makes the file that it reports to, where
/// that is a file. A replica that finds such traces and not this file knows that it was lost
/// (replica/sqlite/replica_file.hpp).
void prepare_reports(const config::Settings& settings, const data_dir::DataDir& data, bool ran_before,
                     const Clock& clock);
void prepare_reports_of_stream(const config::Settings& settings, const data_dir::DataDir& data, const Clock& clock);
/// The same for a replica, which holds the data directory's lock, named `lock` (base/file_name.hpp): over the stream,
/// where it follows one. Neither need be reachable yet.
Result<std::unique_ptr<replica::ReplicaReporter>> open_reporter(const config::Settings& settings,
                                                                const data_dir::DataDir& data, const std::string& lock,
                                                                const Clock& clock);
/// For the relay: where the reports that come over the stream are entered, and how they come, while it follows.
struct ReportsOfStream {
  std::unique_ptr<replica::ReplicaReporter> registry;
  std::unique_ptr<replica::ReportDrain> drain;
};
Result<ReportsOfStream> open_reports_of_stream(const config::Settings& settings, const data_dir::DataDir& data,
                                               const Clock& clock, replica::ReportDrain::FollowedEpoch followed);

}  // namespace latchkey::engines

// The relay, assembled: the store's feed twice, the stream twice, one pair for the tail and one for snapshots;
// and what carries the replicas' reports the other way.

#include <cstdlib>

#include "base/log.hpp"
#include "cli/cli.hpp"
#include "data_dir/small_file.hpp"
#include "main/engines.hpp"
#include "main/serve.hpp"
#include "main/services.hpp"
#include "main/usage_engines.hpp"
#include "relay/relay.hpp"
#include "supervise/service_manager.hpp"

namespace latchkey {
namespace {

Result<relay::RelayEnd> open_end(const config::Settings& settings, const data_dir::DataDir& data, Clock& clock) {
  auto source = engines::open_store_feed(settings, data, clock);
  if (!source) return source.error();
  auto stream = engines::open_stream(settings, clock);
  if (!stream) return stream.error();
  return relay::RelayEnd{std::move(*source), std::move(*stream)};
}

void log_stats(const relay::RelayStats& stats) {
  log_info(
      "relay: {} changes written, {} written by another first, {} appends refused, {} heartbeats, {} lives begun, {} "
      "ended, {} snapshots renewed, {} failures",
      stats.appended.load(), stats.duplicates.load(), stats.refused.load(), stats.beats.load(), stats.begun.load(),
      stats.ended.load(), stats.snapshots.load(), stats.unavailable.load());
}

}  // namespace

int run_relay(const config::Settings& settings) {
  const Signals signals;
  SystemClock clock;
  SystemRandom random;
  if (auto checked = engines::check(settings); !checked) return fail("configuration", checked.error());
  const auto data = data_dir::DataDir::open_or_create(settings.data_dir);
  if (!data) return fail("data directory", data.error());
  // The store may be a file of this directory, which is not to be moved or replaced meanwhile.
  const auto running = data->share("relay");
  if (!running) return fail("data directory", running.error());
  auto tail = open_end(settings, *data, clock);
  if (!tail) return fail("relay", tail.error());
  auto snapshots = open_end(settings, *data, clock);
  if (!snapshots) return fail("relay", snapshots.error());

  engines::prepare_reports_of_stream(settings, *data, clock);
  // Before any replica can read what is relayed.
  if (auto marked = data_dir::write_small_file(data->relayed(), "", data_dir::IfExists::keep); !marked) {
    return fail("relay", marked.error());
  }
  relay::Relay relay(std::move(*tail), std::move(*snapshots), clock, random);
  auto reports = engines::open_reports_of_stream(settings, *data, clock, [&] { return relay.followed().get(); });
  if (!reports) return fail("relay", reports.error());
  const auto digests = engines::open_store_digest(settings, *data);
  if (!digests) return fail("relay", digests.error());
  const auto desk = engines::open_desk(settings, **digests, clock, [&] { return relay.followed().get(); });
  if (!desk) return fail("relay", desk.error());
  const auto usage =
      engines::open_usage_of_stream(settings, *data, clock, [&] { return relay.followed().get().has_value(); });
  if (!usage) return fail("relay", usage.error());
  relay.start();
  reports->drain->start();
  (*desk)->start();
  usage->drain->start();
  log_info("relay runs");
  const supervise::ServiceManager manager(&std::getenv);
  manager.ready("runs");
  signals.wait_for_stop([&] { log_stats(relay.stats()); });
  manager.stopping();
  usage->drain->stop();
  (*desk)->stop();
  reports->drain->stop();
  relay.stop();
  log_stats(relay.stats());
  return cli::exit_done;
}

}  // namespace latchkey

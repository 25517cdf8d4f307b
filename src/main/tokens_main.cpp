// Token Information, assembled from the bottom up and stopped from the top down.

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "access/access_check.hpp"
#include "base/boot_id.hpp"
#include "base/clock.hpp"
#include "base/file_name.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/printable.hpp"
#include "base/random.hpp"
#include "catalog/catalog_holder.hpp"
#include "feed/snapshot_file/snapshot_file_feed.hpp"
#include "main/catalog.hpp"
#include "main/engines.hpp"
#include "main/serve.hpp"
#include "main/services.hpp"
#include "main/tls.hpp"
#include "replica/report_loop.hpp"
#include "report/request_log.hpp"
#include "tokens_service/tokens_service.hpp"
#include "view/memo_log.hpp"
#include "view/projector.hpp"
#include "view/view.hpp"

namespace latchkey {

using cli::DataDir;
using cli::Settings;

namespace {

std::string replica_name(const Settings& settings) {
  if (!settings.replica_name.empty()) return settings.replica_name;
  std::array<char, 256> host{};
  return ::gethostname(host.data(), host.size() - 1) == 0 ? printable(host.data()) : "replica";
}

/// None where they cannot be kept: every token is proven again after a restart, which is no reason not to start.
std::unique_ptr<view::MemoLog> open_memos(const cli::DataDir& data, Random& random, const view::View& view) {
  const auto secret = data.load_or_create_memo_secret(random);
  auto memos = secret ? view::MemoLog::open(data.memos(), *secret, view) : secret.error();
  if (memos) return std::move(*memos);
  log_warning("memos: {} {}: after a restart every token is proven again", memos.error().detail,
              memos.error().internal);
  return nullptr;
}

void export_memos(Metrics& metrics, const view::MemoLog& memos) {
  using Stats = view::MemoLog::Stats;
  const auto add = [&](const char* name, const char* help, const char* type,
                       std::atomic<std::uint64_t> Stats::*member) {
    metrics.callback(name, help, type,
                     [&memos, member] { return static_cast<double>((memos.stats().*member).load()); });
  };
  add("latchkey_memos_recalled", "Proven tokens taken over at the last load.", "gauge", &Stats::recalled);
  add("latchkey_memos_dropped", "Of those found at the last load: of no use.", "gauge", &Stats::dropped);
  add("latchkey_memos_appended_total", "Proven tokens kept for the next start.", "counter", &Stats::appended);
  add("latchkey_memos_left_out_total", "Proven tokens not kept: no room.", "counter", &Stats::left_out);
}

}  // namespace

int run_tokens(const Settings& settings) {
  const Signals signals;
  SystemClock clock;
  SystemRandom random;
  Metrics metrics;
  if (auto checked = engines::check(settings); !checked) return fail("configuration", checked.error());
  auto data = DataDir::open_or_create(settings.data_dir);
  if (!data) return fail("data directory", data.error());
  const bool ran_before = data->ever_ran(cli::Service::tokens);
  engines::prepare_reports(settings, *data, ran_before, clock);
  auto claim = data->claim(cli::Service::tokens);
  if (!claim) return fail("data directory", claim.error());
  auto limiter = engines::open_limiter(settings, *data, ran_before, clock, metrics);
  if (!limiter) return fail("limiter", limiter.error());
  auto catalog = load_catalog(settings);
  if (!catalog) return fail("catalog", catalog.error());
  catalog::CatalogHolder holder(*catalog);
  const auto tls = load_tls(settings);
  if (!tls) return fail("tls", tls.error());

  const auto feed = engines::open_feed(settings, *data, clock);
  if (!feed) return fail("feed", feed.error());
  const auto reporter = engines::open_reporter(settings, *data, file_name_of(claim->get()), clock);
  if (!reporter) return fail("replicas", reporter.error());

  view::View view;
  feed::SnapshotFileFeed kept_feed(
      **feed, {view::View::slices(), [&view](std::size_t slice, feed::SnapshotSink& sink) { view.visit(slice, sink); }},
      clock,
      {.path = data->view_snapshot(),
       .source = engines::source_of(settings, *data),
       .boot_id = BootId::current().text});
  const auto memos = open_memos(*data, random, view);
  view::ServingGate gate;
  replica::InheritanceFile left(data->replica_state(), BootId::current().text);
  replica::ReportLoop reports(**reporter, view, gate, clock, random,
                              {.name = replica_name(settings),
                               .max_staleness = settings.max_staleness,
                               .holds_directory =
                                   [&] {
                                     (*limiter)->keep();
                                     return data->still_claimed(cli::Service::tokens, *claim);
                                   }},
                              &left);
  view::Projector projector(
      kept_feed, view, clock,
      {.on_caught_up = [&] { memos ? memos->recall() : void(); }, .on_applied = [&] { reports.nudge(); }});
  const access::AccessCheck check(view, clock, {settings.max_staleness, &gate}, memos.get());
  report::RequestLog log(std::make_unique<report::LogFile>(
      report::LogFileConfig{data->request_log(), settings.request_log_max_bytes, settings.request_log_files}));

  tokens_service::TokensService service({view, projector, check, **limiter, holder, log, metrics, clock});
  http::Server server(server_config(settings, settings.tokens_listen, *tls), service);
  export_server(metrics, server);
  if (memos) export_memos(metrics, *memos);
  reports.start();
  projector.start();
  const int code = serve(server, *data, cli::Service::tokens, settings.tokens_listen, signals, [&] {
    reload_tls(*tls);
    log.reopen();
    if (!settings.catalog.empty()) (void)holder.reload(settings.catalog);
  });
  reports.stop();  // nothing is answered any more
  projector.stop();
  limiter->reset();  // answers whoever still waits for it, by the service
  kept_feed.finish();
  return code;
}

}  // namespace latchkey

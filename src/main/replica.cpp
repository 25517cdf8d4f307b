#include "main/replica.hpp"

#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "base/boot_id.hpp"
#include "base/file_name.hpp"
#include "base/log.hpp"
#include "base/printable.hpp"
#include "main/engines.hpp"
#include "main/planted_drift.hpp"

namespace latchkey {

using config::Settings;
using data_dir::DataDir;

namespace {

std::string replica_name(const Settings& settings) {
  if (!settings.replica_name.empty()) return settings.replica_name;
  std::array<char, 256> host{};
  return ::gethostname(host.data(), host.size() - 1) == 0 ? printable(host.data()) : "replica";
}

/// None where they cannot be kept: every token is proven again after a restart, which is no reason not to start.
std::unique_ptr<view::MemoLog> open_memos(const DataDir& data, Random& random, const view::View& view) {
  const auto secret = data.load_or_create_memo_secret(random);
  auto memos = secret ? view::MemoLog::open(data.memos(), *secret, view) : secret.error();
  if (memos) return std::move(*memos);
  log_warning("memos: {} {}: after a restart every token is proven again", memos.error().detail,
              memos.error().internal);
  return nullptr;
}

void export_memos(Metrics& metrics, const view::MemoLog& memos) {
  using Stats = view::MemoLog::Stats;
  using view::MemoLog;
  metrics.add_gauge("latchkey_memos_recalled", "Proven tokens taken over at the last load.", memos, &MemoLog::stats,
                    &Stats::recalled);
  metrics.add_gauge("latchkey_memos_dropped", "Of those found at the last load: of no use.", memos, &MemoLog::stats,
                    &Stats::dropped);
  metrics.add_counter("latchkey_memos_appended_total", "Proven tokens kept for the next start.", memos, &MemoLog::stats,
                      &Stats::appended);
  metrics.add_counter("latchkey_memos_left_out_total", "Proven tokens not kept: no room.", memos, &MemoLog::stats,
                      &Stats::left_out);
}

void export_digests(Metrics& metrics, const view::DigestCheck& check, const Clock& clock) {
  using Stats = view::DigestCheckStats;
  using view::DigestCheck;
  metrics.add_counter("latchkey_digest_same_total", "Comparisons that found the view's rows to be the store's.", check,
                      &DigestCheck::stats, &Stats::same);
  metrics.add_counter("latchkey_digest_drifts_total", "Comparisons that found them to differ.", check,
                      &DigestCheck::stats, &Stats::drifts);
  metrics.add_counter("latchkey_digest_unanswered_total", "Times the store's rows could not be read.", check,
                      &DigestCheck::stats, &Stats::unanswered);
  metrics.add_counter("latchkey_digest_missed_total", "Comparisons that came too late.", check, &DigestCheck::stats,
                      &Stats::missed);
  metrics.add_gauge("latchkey_digest_age_seconds", "Since the rows were last found to be the same; -1: not yet.",
                    [&check, &clock] {
                      const auto stats = check.stats();
                      if (stats.same == 0) return -1.0;
                      return std::chrono::duration<double>(clock.boot() - stats.last_same).count();
                    });
}

}  // namespace

struct Replica::Opened {
  DataDir data;
  data_dir::RunLock claim;
  std::unique_ptr<limit::RateLimiter> limiter;
  std::unique_ptr<feed::ChangeFeed> feed;
  std::unique_ptr<replica::ReplicaReporter> reporter;
  std::unique_ptr<feed::DigestSource> digests;
};

Result<std::unique_ptr<Replica>, ReplicaError> Replica::open(const Settings& settings, Clock& clock, Metrics& metrics,
                                                             std::chrono::milliseconds patience) {
  if (auto checked = engines::check(settings); !checked) return ReplicaError{"configuration", checked.error()};
  auto data = DataDir::open_or_create(settings.data_dir);
  if (!data) return ReplicaError{"data directory", data.error()};
  const bool ran_before = data->ever_ran(data_dir::Service::tokens);
  engines::prepare_reports(settings, *data, ran_before, clock);
  auto claim = data->claim(data_dir::Service::tokens, patience);
  if (!claim) return ReplicaError{"data directory", claim.error()};
  auto limiter = engines::open_limiter(settings, *data, ran_before, clock, metrics);
  if (!limiter) return ReplicaError{"limiter", limiter.error()};
  auto feed = engines::open_feed(settings, *data, clock);
  if (!feed) return ReplicaError{"feed", feed.error()};
  auto reporter = engines::open_reporter(settings, *data, file_name_of(claim->get()), clock);
  if (!reporter) return ReplicaError{"replicas", reporter.error()};
  auto digests = engines::open_digest(settings, *data, clock);
  if (!digests) return ReplicaError{"feed", digests.error()};
  Opened opened{std::move(*data), std::move(*claim),    std::move(*limiter),
                std::move(*feed), std::move(*reporter), std::move(*digests)};
  return std::unique_ptr<Replica>(new Replica(std::move(opened), settings, clock, metrics));
}

Replica::Replica(Opened opened, const Settings& settings, Clock& clock, Metrics& metrics)
    : data_(std::move(opened.data)),
      claim_(std::move(opened.claim)),
      limiter_(std::move(opened.limiter)),
      feed_(std::move(opened.feed)),
      reporter_(std::move(opened.reporter)),
      digests_(std::move(opened.digests)),
      digest_check_(*digests_, clock, {.interval = settings.digest_interval}),
      kept_feed_(
          *feed_,
          {view::View::slices(), [this](std::size_t slice, feed::SnapshotSink& sink) { view_.visit(slice, sink); }},
          clock,
          {.path = data_.view_snapshot(),
           .source = engines::source_of(settings, data_),
           .boot_id = BootId::current().text}),
      memos_(open_memos(data_, random_, view_)),
      left_(data_.replica_state(), BootId::current().text),
      reports_(*reporter_, view_, gate_, clock, random_,
               {.name = replica_name(settings),
                .max_staleness = settings.max_staleness,
                .holds_directory = [this] { return holds_directory(); },
                .lock = file_name_of(claim_.get())},
               &left_),
      projector_(kept_feed_, view_, clock,
                 {.on_caught_up =
                      [this] {
                        if (memos_) memos_->recall();
                        digest_check_.ask();
                      },
                  .on_applied = [this] { reports_.nudge(); },
                  .why_distrust =
                      [this] {
                        planted_drift::plant_if_asked(view_);
                        return digest_check_.look_for_drift(view_);
                      }}),
      check_(view_, clock, {settings.max_staleness, &gate_}, memos_.get()) {
  if (memos_) export_memos(metrics, *memos_);
  export_digests(metrics, digest_check_, clock);
}

Replica::~Replica() { stop(); }

bool Replica::holds_directory() {
  limiter_->keep();
  return data_.still_claimed(data_dir::Service::tokens, claim_);
}

void Replica::start() {
  running_ = true;
  reports_.start();
  projector_.start();
  digest_check_.start();
}

void Replica::stop() {
  if (!std::exchange(running_, false)) return;
  digest_check_.stop();
  reports_.stop();  // nothing is answered any more
  projector_.stop();
  limiter_.reset();  // answers requests that still wait for it
  kept_feed_.finish();
}

}  // namespace latchkey

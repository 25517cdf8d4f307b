#include "replica/redis/report_drain.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "redis/remedy.hpp"
#include "replica/redis/report_stream.hpp"

namespace latchkey::replica {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds patience_of_loop{100};
constexpr milliseconds pause_after_failure{50};
// A replica that serves reports ten times a second. With none for so long, the stream may count from lower than it did.
constexpr std::chrono::seconds silence{1};
// What fails and succeeds by turns, as where one of many reports is refused, is one failure.
constexpr std::chrono::seconds calm{10};
constexpr std::size_t most_owed = 10'000;

// KEYS: known, of each replica. ARGV: the numbers. What is no number is none of ours, and gives way.
const redis::Script& raise() {
  static const redis::Script script(R"lua(
for i, key in ipairs(KEYS) do
  local known = redis.pcall('GET', key)
  known = type(known) == 'string' and tonumber(known)
  if not known or known <= tonumber(ARGV[i]) then redis.call('SET', key, ARGV[i], 'EX', 3600) end
end
return redis.status_reply('OK')
)lua");
  return script;
}

}  // namespace

ReportDrain::ReportDrain(const redis::Address& address, ReplicaReporter& registry, const Clock& clock,
                         FollowedEpoch followed, redis::Timeouts timeouts)
    : link_(address, timeouts, clock), registry_(registry), clock_(clock), followed_(std::move(followed)) {}

ReportDrain::~ReportDrain() { stop(); }

Result<void> ReportDrain::step(milliseconds patience) {
  if (!followed_()) {
    std::this_thread::sleep_for(patience);
    return {};
  }
  const auto reports = read(patience);
  if (!reports) return reports.error();
  const auto epoch = followed_();
  if (!epoch) last_ = "0";  // they wait in the stream
  if (!epoch) return {};
  auto due = std::exchange(owed_, {});
  for (const auto& [id, report] : *reports) {
    auto& newest = due[id];
    if (newest.number <= report.number) newest = report;
  }
  return due.empty() ? Result<void>() : carry(due, *epoch);
}

Result<ReportDrain::Newest> ReportDrain::read(milliseconds patience) {
  const auto connection = link_.get();
  if (!connection) return connection.error();
  const BootTime now = clock_.boot();
  if (generation_ != link_.generation() || now - heard_ > silence) {
    generation_ = link_.generation();
    last_ = "0";
    heard_ = now;
  }
  redis::Command command{"XREAD", "COUNT", "1000"};
  if (patience > milliseconds::zero()) {
    command.words.insert(command.words.end(), {"BLOCK", std::to_string(patience.count())});
  }
  command.words.insert(command.words.end(), {"STREAMS", report_stream::reports, last_});
  const auto reply = (*connection)->run(command);
  if (!reply) return redis::with_remedy(reply.error(), "DEL " + report_stream::reports + ", and it is made anew");
  Newest newest;
  if (reply->elements.empty() || reply->elements[0].elements.size() != 2) return newest;
  for (const auto& entry : reply->elements[0].elements[1].elements) {
    if (entry.elements.size() != 2) continue;
    last_ = entry.elements[0].text;
    auto report = report_stream::report_of(entry.elements[1].elements);
    if (!report) continue;
    auto& kept = newest[report->id];
    if (kept.number <= report->number) kept = std::move(*report);
  }
  heard_ = clock_.boot();
  return newest;
}

// One with a view of another epoch is another store's, or has not seen yet that ours has a new one.
Result<void> ReportDrain::carry(const Newest& reports, Epoch epoch) {
  Result<void> done;
  std::map<ReplicaId, std::uint64_t> known;
  for (const auto& [id, report] : reports) {
    if (report.applied && report.applied->epoch != epoch) continue;
    const auto taken = registry_.report(report);
    if (taken) {
      known[id] = *taken;
    } else {
      // It says nothing any more, and would be waited for until it is fenced.
      if (report.phase == Phase::stopped && owed_.size() < most_owed) owed_.emplace(id, report);
      done = Error(taken.error().code, taken.error().detail,
                   fmt::format("{} (replica {}, \"{}\")", taken.error().internal, id.to_string(), report.name));
    }
  }
  auto told = known.empty() ? Result<void>() : tell(known);
  return done ? told : done;
}

Result<void> ReportDrain::tell(const std::map<ReplicaId, std::uint64_t>& known) {
  const auto connection = link_.get();
  if (!connection) return connection.error();
  std::vector<std::string> keys;
  std::vector<std::string> numbers;
  for (const auto& [id, number] : known) {
    keys.push_back(report_stream::known_prefix + id.to_string());
    numbers.push_back(std::to_string(number));
  }
  const auto reply = (*connection)->run(redis::Command::call(raise(), keys, numbers));
  return reply ? Result<void>() : reply.error();
}

void ReportDrain::start() {
  thread_ = std::thread([this] { run(); });
}

void ReportDrain::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void ReportDrain::run() {
  while (!stopping_) {
    const auto done = step(patience_of_loop);
    note(done);
    const bool one_was_refused = !done && done.error().code == ErrorCode::conflict;
    if (!done && !one_was_refused) std::this_thread::sleep_for(pause_after_failure);
  }
}

// Once when it begins and once when it is over.
void ReportDrain::note(const Result<void>& done) {
  const BootTime now = clock_.boot();
  if (!done) {
    if (!failed_) {
      log_warning("relay: reports of replicas do not all arrive: {} {}", done.error().detail, done.error().internal);
    }
    failed_ = now;
  } else if (failed_ && now - *failed_ > calm) {
    log_info("relay: reports of replicas arrive again");
    failed_.reset();
  }
}

}  // namespace latchkey::replica

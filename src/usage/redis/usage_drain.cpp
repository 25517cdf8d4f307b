#include "usage/redis/usage_drain.hpp"

#include <utility>

#include "base/log.hpp"
#include "redis/remedy.hpp"
#include "usage/redis/usage_stream.hpp"

namespace latchkey::usage {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds drain_patience{100};
constexpr milliseconds pause_of_drain{200};

// KEYS: the writer's number, the stream. ARGV: the number, the entry's id. All before it are in the store as well, or
// were passed over.
const redis::Script& say_taken() {
  static const redis::Script script(R"lua(
redis.call('SET', KEYS[1], ARGV[1], 'EX', 86400)
local first, second = string.match(ARGV[2], '^(%d+)-(%d+)$')
redis.call('XTRIM', KEYS[2], 'MINID', first .. '-' .. string.format('%.0f', tonumber(second) + 1))
return redis.status_reply('OK')
)lua");
  return script;
}

}  // namespace

struct UsageDrain::Entry {
  std::string id;
  PackedBatch batch;
};

UsageDrain::UsageDrain(const redis::Address& address, UsageSink& store, const Clock& clock,
                       std::function<bool()> follows, redis::Timeouts timeouts)
    : link_(address, timeouts, clock), store_(store), follows_(std::move(follows)) {}

UsageDrain::~UsageDrain() { stop(); }

// From the stream's beginning each time: what was carried on is gone from it.
Result<std::vector<UsageDrain::Entry>> UsageDrain::read(milliseconds patience) {
  const auto connection = link_.get();
  if (!connection) return connection.error();
  const auto reply = (*connection)
                         ->run(redis::Command{"XREAD", "COUNT", "20", "BLOCK", std::to_string(patience.count()),
                                              "STREAMS", usage_stream::batches, "0"});
  if (!reply) return redis::with_remedy(reply.error(), usage_stream::remedy);
  std::vector<Entry> entries;
  if (reply->elements.empty() || reply->elements[0].elements.size() != 2) return entries;
  for (const auto& entry : reply->elements[0].elements[1].elements) {
    if (entry.elements.size() != 2) continue;
    auto batch = usage_stream::batch_of(entry.elements[1].elements);
    entries.push_back({entry.elements[0].text, batch ? std::move(*batch) : PackedBatch()});
  }
  return entries;
}

Result<void> UsageDrain::step(milliseconds patience) {
  if (!follows_()) {
    std::this_thread::sleep_for(patience);
    return {};
  }
  const auto entries = read(patience);
  if (!entries) return entries.error();
  for (const auto& entry : *entries) {
    if (auto carried = carry(entry); !carried) return carried;
  }
  return {};
}

Result<void> UsageDrain::carry(const Entry& entry) {
  if (!entry.batch.writer.empty()) {
    const auto taken = store_.write(entry.batch);
    if (!taken && taken.error().code != ErrorCode::conflict) return taken.error();
    if (!taken) {
      log_warning("relay: the store refuses a batch of usage, which is lost: {} rows of {}: {}", entry.batch.row_count,
                  entry.batch.writer, taken.error().internal);
    }
  }
  return tell(entry);
}

Result<void> UsageDrain::tell(const Entry& entry) {
  const auto connection = link_.get();
  if (!connection) return connection.error();
  const std::string writer = entry.batch.writer.empty() ? "none" : entry.batch.writer;
  const auto told =
      (*connection)
          ->run(redis::Command::call(say_taken(), {usage_stream::taken_prefix + writer, usage_stream::batches},
                                     {std::to_string(entry.batch.seq), entry.id}));
  return told ? Result<void>() : redis::with_remedy(told.error(), usage_stream::remedy);
}

void UsageDrain::start() {
  thread_.start([this] {
    for (milliseconds pause{0}; pause == milliseconds(0) ? !thread_.stopping() : thread_.sleep(pause);) {
      const auto done = step(drain_patience);
      note(done);
      pause = done ? milliseconds(0) : pause_of_drain;
    }
  });
}

void UsageDrain::stop() { thread_.stop(); }

// Once when it begins and once when it is over.
void UsageDrain::note(const Result<void>& done) {
  if (!done && done.error().code == ErrorCode::not_found) return;  // the tables are not made yet
  if (!done && !std::exchange(fails_, true)) {
    log_warning("relay: usage does not arrive in the store: {} {}", done.error().detail, done.error().internal);
  }
  if (done && std::exchange(fails_, false)) log_info("relay: usage arrives in the store again");
}

}  // namespace latchkey::usage

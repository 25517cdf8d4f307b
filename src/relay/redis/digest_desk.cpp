#include "relay/redis/digest_desk.hpp"

#include "base/log.hpp"
#include "feed/redis/layout.hpp"
#include "redis/remedy.hpp"
#include "relay/redis/scripts.hpp"

namespace latchkey::relay {

namespace layout = feed::redis_layout;

namespace {

constexpr std::chrono::milliseconds between_looks{200};

// KEYS: wanted, distrusted. Each request is taken once.
const redis::Script& take_requests() {
  static const redis::Script script(R"lua(
local wanted, distrusted = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
if wanted then redis.call('DEL', KEYS[1]) end
if distrusted then redis.call('DEL', KEYS[2]) end
return {wanted or '', distrusted or ''}
)lua");
  return script;
}

// KEYS: digest. ARGV: epoch seq digest.
const redis::Script& put_answer() {
  static const redis::Script script(R"lua(
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'seq', ARGV[2], 'digest', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'number', 1)
return redis.status_reply('OK')
)lua");
  return script;
}

}  // namespace

DigestDesk::DigestDesk(const redis::Address& address, feed::DigestSource& source, const Clock& clock,
                       FollowedEpoch followed, redis::Timeouts timeouts)
    : link_(address, timeouts, clock), source_(source), followed_(std::move(followed)) {}

DigestDesk::~DigestDesk() { stop(); }

Result<void> DigestDesk::step() {
  if (!followed_()) return {};
  const auto connection = link_.get();
  if (!connection) return connection.error();
  const auto taken =
      (*connection)->run(redis::Command::call(take_requests(), {layout::digest_wanted, layout::distrusted}, {}));
  if (!taken) return redis::with_remedy(taken.error(), "DEL " + layout::digest_wanted + " " + layout::distrusted);
  if (taken->elements.size() != 2) return Error(ErrorCode::unavailable, "Redis answers what was not asked");
  if (!taken->elements[1].text.empty()) {
    if (auto ended = end(taken->elements[1].text); !ended) return ended;
  }
  return taken->elements[0].text.empty() ? Result<void>() : answer();
}

Result<void> DigestDesk::answer() {
  const auto digest = source_.read();
  if (!digest) return Error(ErrorCode::unavailable, digest.error().why);
  if (digest->warning != std::exchange(warning_, digest->warning) && !digest->warning.empty()) {
    log_warning("relay: {}", digest->warning);
  }
  const Position at = digest->at.position;
  if (followed_() != at.epoch) return {};  // the stream is to become another as well; the reader asks again
  const auto connection = link_.get();
  if (!connection) return connection.error();
  const auto put = (*connection)
                       ->run(redis::Command::call(put_answer(), {layout::digest},
                                                  {fmt::format("{:016x}", at.epoch.value), std::to_string(at.seq.value),
                                                   fmt::format("{:016x}", digest->digest)}));
  return put ? Result<void>() : redis::with_remedy(put.error(), "DEL " + layout::digest);
}

Result<void> DigestDesk::end(const std::string& life) {
  const auto connection = link_.get();
  if (!connection) return connection.error();
  const auto ended = (*connection)
                         ->run(redis::Command::call(scripts::end(), {layout::head, layout::log, layout::nudge},
                                                    {life, layout::snapshot_prefix}));
  if (!ended) return ended.error();
  if (ended->integer == 1) log_warning("relay: {} ended: a reader found that it is not what the store holds", life);
  return {};
}

void DigestDesk::start() {
  thread_ = std::thread([this] { run(); });
}

void DigestDesk::stop() {
  stopping_ = true;
  source_.stop();
  if (thread_.joinable()) thread_.join();
}

void DigestDesk::run() {
  while (!stopping_) {
    note(step());
    std::this_thread::sleep_for(between_looks);
  }
}

// Once when it begins: what else fails then says so by itself.
void DigestDesk::note(const Result<void>& done) {
  const std::string trouble = done ? "" : done.error().internal.empty() ? done.error().detail : done.error().internal;
  if (!trouble.empty() && trouble != trouble_ && !stopping_)
    log_warning("relay: replicas are not answered: {}", trouble);
  trouble_ = trouble;
}

}  // namespace latchkey::relay

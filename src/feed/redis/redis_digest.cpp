#include "feed/redis/redis_digest.hpp"

#include <thread>

#include "feed/redis/layout.hpp"
#include "redis/remedy.hpp"

namespace latchkey::feed {
namespace {

constexpr std::chrono::milliseconds between_looks{100};

}  // namespace

Result<StoreDigest, FeedError> RedisDigest::read() {
  auto answer = ask();
  if (answer) return std::move(*answer);
  return FeedError::of(answer.error());
}

Result<RedisDigest::Answer> RedisDigest::look() {
  const auto connection = link_.get();
  if (!connection) return connection.error();
  const auto reply = (*connection)->run({"HMGET", redis_layout::digest, "number", "epoch", "seq", "digest"});
  if (!reply) return redis::with_remedy(reply.error(), "DEL " + redis_layout::digest);
  Answer answer;
  if (reply->elements.size() != 4 || reply->elements[0].is_nil()) return answer;
  Position& at = answer.digest.at.position;
  if (!read_number(reply->elements[0], answer.number, 10) || !read_number(reply->elements[1], at.epoch.value, 16) ||
      !read_number(reply->elements[2], at.seq.value, 10) ||
      !read_number(reply->elements[3], answer.digest.digest, 16)) {
    return Error(ErrorCode::unavailable, "what stands in Redis is not ours: DEL " + redis_layout::digest);
  }
  return answer;
}

Result<StoreDigest> RedisDigest::ask() {
  const auto before = look();
  if (!before) return before.error();
  const auto connection = link_.get();
  if (!connection) return connection.error();
  if (auto asked = (*connection)->run({"SET", redis_layout::digest_wanted, "1", "EX", "120"}); !asked)
    return asked.error();
  for (const BootTime deadline = clock_.boot() + patience_; clock_.boot() < deadline && !stopping();) {
    std::this_thread::sleep_for(between_looks);
    auto answer = look();
    if (!answer) return answer.error();
    if (answer->number != before->number && answer->number != 0) return std::move(answer->digest);
  }
  return Error(ErrorCode::unavailable, "no relay says what the rows of the store add up to");
}

}  // namespace latchkey::feed

#include "replica/redis/redis_reporter.hpp"

#include <charconv>

#include "redis/remedy.hpp"
#include "replica/redis/report_stream.hpp"

namespace latchkey::replica {
namespace {

// Ids of entries begin with Redis' time in milliseconds and never go back: after its clock did, they stand still until
// it has come that far again, and only the count bounds the stream. A thousand replicas make 50,000 entries in five
// seconds. KEYS: reports, known. ARGV: the entry.
const redis::Script& put_and_ask() {
  static const redis::Script script(R"lua(
local id = redis.call('XADD', KEYS[1], '*', unpack(ARGV))
local now = tonumber(string.match(id, '^%d+'))
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', now - 5000))
redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', 100000)
return redis.call('GET', KEYS[2]) or '0'
)lua");
  return script;
}

}  // namespace

Result<std::uint64_t> RedisReporter::report(const ReplicaReport& report) {
  const auto connection = link_.get();
  if (!connection) return connection.error();
  const auto reply =
      (*connection)
          ->run(redis::Command::call(put_and_ask(),
                                     {report_stream::reports, report_stream::known_prefix + report.id.to_string()},
                                     report_stream::fields_of(report)));
  if (!reply) return redis::with_remedy(reply.error(), report_stream::remedy(report.id));
  std::uint64_t known = 0;
  const std::string& text = reply->text;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), known);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Error(ErrorCode::unavailable, "what stands in Redis is not ours", report_stream::remedy(report.id));
  }
  if (known > report.number) return another_reports(report);
  return known;
}

}  // namespace latchkey::replica

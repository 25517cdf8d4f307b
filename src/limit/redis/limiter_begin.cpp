#include "limit/redis/limiter_begin.hpp"

#include "redis/link.hpp"
#include "redis/remedy.hpp"

namespace latchkey::limit::lease {

Result<Begun> begin(const redis::Address& address, const Clock& clock) {
  static const redis::Script script(
      "if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end\n"
      "redis.call('SET', KEYS[2], '1', 'EX', 60)\n"
      "return 1\n");
  constexpr auto patience = std::chrono::seconds(5);
  redis::Link link(address, {.connect = patience, .command = patience}, clock);
  const auto server = link.get();
  if (!server) return server.error();
  const auto answer =
      (*server)->run(redis::Command::call(script, {"latchkey:limit:store", "latchkey:limit:no-history"}, {}));
  if (!answer) return answer.error();
  if (answer->is_error()) {
    return Error(ErrorCode::conflict,
                 "redis refused: " + redis::refusal(answer->text, "EVALSHA") + "; nothing was said");
  }
  if (!answer->is_integer()) return Error(ErrorCode::internal, "redis: a reply of another shape");
  return answer->integer == 1 ? Begun::said : Begun::has_counted;
}

}  // namespace latchkey::limit::lease

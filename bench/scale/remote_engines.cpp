#include "feed/postgres/postgres_feed.hpp"
#include "feed/redis/redis_feed.hpp"
#include "scale/engine.hpp"
#include "scale/must.hpp"
#include "store/postgres/postgres_store.hpp"

namespace latchkey::bench {

Engine postgres_engine(const std::string& store) {
  return {[=] { return must(store::open_postgres(store, system_clock()), "store"); },
          [=] { return must(feed::open_postgres_feed(store, system_clock()), "feed"); }};
}

Engine relayed_engine(const std::string& store, const std::string& stream) {
  const auto address = must(redis::Address::parse(stream), "stream");
  return {postgres_engine(store).open_store,
          [=] { return std::make_unique<feed::RedisFeed>(address, system_clock()); }};
}

}  // namespace latchkey::bench

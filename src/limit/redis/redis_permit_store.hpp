#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "limit/redis/permit_store.hpp"
#include "limit/redis/store_watch.hpp"
#include "redis/link.hpp"

namespace latchkey::limit::lease {

struct RedisPermitStoreConfig {
  /// The longest that a request may have to wait for a server that has become silent.
  redis::Timeouts timeouts{.connect = std::chrono::milliseconds(250), .command = std::chrono::milliseconds(250)};
  /// In tests: the server's clock, in place of its own.
  const Clock* server_clock = nullptr;
};

/// The permits at a Redis server, version 7, by lease.lua. The server must not evict keys (maxmemory-policy
/// noeviction, or no maxmemory): one that may is refused with `internal`, since permits would be forgotten unseen.
/// That, and which life of the server this is, is looked at once a second and after each failure.
/// With replication, the server that is written to must know that it is the one: set min-replicas-to-write.
class RedisPermitStore final : public PermitStore {
 public:
  /// Connects when first asked. `clock` outlives the store; `random` names this replica.
  RedisPermitStore(redis::Address address, const Clock& clock, Random& random, RedisPermitStoreConfig config = {});

  Result<std::vector<std::optional<Reply>>> ask(std::span<const Call> calls) override;
  Result<Announced> announce(Presence presence) override;

 private:
  Result<redis::Connection*> connection();
  Result<void> meet(redis::Connection& server);
  bool knows_server() const;
  Error failed(Error error);
  std::vector<std::string> arguments(BootTime sent) const;
  redis::Command command(const Call& call, const std::vector<std::string>& common, BootTime sent) const;
  void saw(const Call& call, const Reply& reply, BootTime sent, BootTime received);
  BootTime paced(BootTime time, std::uint32_t pace) const;
  void complain_of(const Call& call);

  redis::Link link_;
  const Clock& clock_;
  const RedisPermitStoreConfig config_;
  const BootTime begun_ = clock_.boot();
  std::uint64_t met_generation_ = 0;  // of link_; 0: none yet
  BootTime met_at_{};
  Caller caller_;
  StoreWatch watch_;
  std::map<std::uint32_t, StoreWatch> fast_watches_;  // by pace
  BootTime next_word_{};                              // of a key with a broken record
};

}  // namespace latchkey::limit::lease

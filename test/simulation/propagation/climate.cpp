#include "propagation/climate.hpp"

namespace latchkey::simulation::propagation {

using std::chrono::milliseconds;
using std::chrono::seconds;

Climate Climate::of(std::uint64_t seed) {
  Climate climate;
  climate.replicas = 3 + seed / 4 % 6;
  climate.relays = 1 + seed / 32 % 2;
  climate.network = {.usual = milliseconds(3), .longest = seconds(1), .slow = 0.01, .lost = 0.01, .repeated = 0.02};
  switch (seed % 4) {
    case 0:  // machines and network fail
      climate.crash = seconds(2);
      climate.pause = climate.cut = seconds(2);
      climate.relay_outage = climate.store_outage = seconds(10);
      climate.registry_loss = climate.clock_step = seconds(8);
      break;
    case 1:  // the store changes its mind
      climate.store_failover = seconds(5);
      climate.store_restore = seconds(6);
      climate.cut = seconds(3);
      break;
    case 2:  // the stream is lost, as a whole and in parts, and moves to another machine
      climate.stream_loss = seconds(5);
      climate.stream_failover = climate.stream_damage = seconds(4);
      climate.relay_outage = seconds(5);
      climate.pause = seconds(4);
      break;
    default:  // all of it, seldom each
      climate.crash = climate.pause = climate.cut = seconds(6);
      climate.store_failover = climate.store_restore = climate.store_outage = seconds(12);
      climate.stream_loss = climate.stream_failover = climate.stream_damage = seconds(8);
      climate.registry_loss = climate.clock_step = seconds(12);
      break;
  }
  return climate;
}

Climate Climate::for_bug(Bug bug, std::uint64_t seed) {
  Climate climate;
  climate.between_commits = milliseconds(40);
  climate.network.usual = climate.network.longest = milliseconds(20);
  switch (bug) {
    case Bug::gap_ignored:
      climate.pause = climate.cut = climate.stream_damage = milliseconds(500);
      return climate;
    case Bug::changes_out_of_order:
      climate.pause = climate.cut = milliseconds(500);  // so that a relay has several changes to append at once
      return climate;
    case Bug::ticks_of_any_connection:
    case Bug::heartbeat_over_any_connection:
      climate.stream_failover = milliseconds(400);
      return climate;
    case Bug::stream_ahead_of_store_ignored:
      climate.lasts = seconds(20);
      climate.between_commits = climate.store_restore = seconds(1);
      climate.pause = milliseconds(300);
      return climate;
    default:
      return of(seed);
  }
}

}  // namespace latchkey::simulation::propagation

#pragma once

#include "network.hpp"
#include "propagation/bug.hpp"

namespace latchkey::simulation::propagation {

/// One scenario: who there is, and what befalls them how often.
struct Climate {
  std::size_t replicas = 3;
  std::size_t relays = 2;
  Duration lasts = std::chrono::seconds(10);
  Duration between_commits = std::chrono::milliseconds(150);
  NetworkFaults network{};

  // How often each happens, on average; 0: never.
  Duration crash{};            // kill -9 of a relay, a replica or the management service
  Duration pause{};            // SIGSTOP of a relay or a replica
  Duration cut{};              // one of them is cut off from the store, or from the stream
  Duration relay_outage{};     // no relay runs
  Duration store_outage{};     // nobody reaches the store
  Duration store_failover{};   // to a standby that lags; the epoch is another
  Duration store_restore{};    // an older backup is put back in place; the epoch stays
  Duration stream_loss{};      // Redis is emptied, or restarts from a dump
  Duration stream_failover{};  // another Redis goes on from a dump, and the former still answers for a while
  Duration stream_damage{};    // an entry of the log or a part of the snapshot is lost
  Duration registry_loss{};    // all that replicas have reported is lost
  Duration clock_step{};       // of the wall time of a machine

  /// One of several, by the seed.
  static Climate of(std::uint64_t seed);
  /// As of(), where a bug needs no more than what happens anyway; otherwise what it needs happens often.
  static Climate for_bug(Bug bug, std::uint64_t seed);
};

}  // namespace latchkey::simulation::propagation

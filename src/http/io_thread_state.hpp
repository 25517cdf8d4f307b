#pragma once

// What an I/O thread's connections share.

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "http/date_line.hpp"
#include "http/inbox.hpp"
#include "http/input.hpp"
#include "http/poller.hpp"
#include "http/server.hpp"

namespace latchkey::http {

class Connection;

/// Written by one thread, read by any.
class Tally {
 public:
  void add() { value_.store(value_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct Tallies {
  Tally connections, refused, requests, malformed, handshakes_ended, sweeps;
};

struct IoThreadState {
  IoThreadState(const ServerConfig& c, Handler& h, std::atomic<unsigned>& open, unsigned i, std::unique_ptr<Poller> p);

  const ServerConfig& config;
  Handler& handler;
  std::atomic<unsigned>& connections_open;  // over all threads
  const unsigned index;
  const std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();
  const std::unique_ptr<Poller> poller;
  InputPool inputs;
  std::array<char, InputBuffer::usual_capacity> landing;  // of octets that are taken away at once
  CoarseTime now = 0;                                     // as the poller's turn began
  Tallies tallies;
  DateLine date;
  std::vector<std::uint32_t> free_slots;  // of connections that can be used again
  std::vector<Connection*> received;      // in this turn, and not yet answered
  std::vector<const Request*> expected;   // of them, the first of each
  std::deque<Ticket> handshakes;          // begun, oldest first; some are over
  unsigned unfinished_handshakes = 0;
  bool draining = false;
};

}  // namespace latchkey::http

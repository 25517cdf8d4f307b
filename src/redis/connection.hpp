#pragma once

// One connection to a Redis server: hiredis connects, writes commands and reads replies; a channel carries the octets.
//
// Errors: `unavailable` when the server cannot be reached, does not answer in time, or says that it cannot serve now
// (LOADING, READONLY, OOM, …): try again later, on a new connection if broken(). `internal` when it refuses the command
// itself (WRONGTYPE, NOAUTH, a script's error): trying again is of no use. The internal text names the server, never a
// password or an argument.
//
// After a failure of the transport nothing is known of the commands under way: each may have been executed or not.

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "redis/address.hpp"
#include "redis/channel.hpp"
#include "redis/command.hpp"
#include "redis/reply.hpp"

struct redisReader;

namespace latchkey::redis {

struct Timeouts {
  std::chrono::milliseconds connect{1000};
  std::chrono::milliseconds command{1000};  // the longest silence while a reply is awaited
};

/// One thread at a time.
class Connection {
 public:
  /// Connects to `address.server`, authenticates, selects the database. Sentinels are for redis/sentinels.hpp.
  static Result<std::unique_ptr<Connection>> open(const Address& address, Timeouts timeouts = {});
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// An error reply becomes an Error.
  Result<Reply> run(const Command& command);
  /// All in one write (pipelining); one reply each, in order. An error reply is left in its place: a failed command
  /// does not keep the next from running. Scripts the server did not know run after the others.
  Result<std::vector<Reply>> run_all(std::span<const Command> commands);

  /// For a command that waits at the server (XREAD BLOCK): sends it, to be followed by receive() alone until its reply
  /// has come.
  Result<void> send(const Command& command);
  /// The next reply; nullopt when none came within `patience` or `wake_descriptor` (-1: none) became readable: it may
  /// be asked for again. An error reply becomes an Error.
  Result<std::optional<Reply>> receive(std::chrono::milliseconds patience, int wake_descriptor = -1);

  /// After a failure of the transport: open another.
  bool broken() const { return !failure_.empty(); }
  /// The server has said that it cannot be written to: where another may be the primary, look for it.
  bool demoted() const { return demoted_; }
  const Endpoint& server() const { return server_; }

 private:
  struct Free {
    void operator()(redisReader* reader) const;
  };
  Connection(const Address& address, Timeouts timeouts);

  Result<void> greet(const Address& address);
  Result<void> append(const Command& command);
  Result<void> flush();
  /// The next reply, if all of it has come.
  Result<std::optional<Reply>> next_of_read();
  /// Reads what has come; false: nothing within that time.
  Result<bool> fill(std::chrono::milliseconds within);
  Result<Reply> next_reply();
  Result<Reply> unless_error(Reply reply, std::string_view sent) const;
  Error unavailable(std::string_view doing) const;
  Error fail(std::string_view doing, std::string why);

  const std::string name_;  // host:port/database
  const Endpoint server_;
  const Timeouts timeouts_;
  std::string sent_;      // the command that send() sent last
  std::string outgoing_;  // commands that are not written yet
  std::string failure_;   // of the transport: why
  bool ended_ = false;    // by the server
  bool demoted_ = false;
  std::unique_ptr<redisReader, Free> reader_;
  std::unique_ptr<Channel> channel_;
};

}  // namespace latchkey::redis

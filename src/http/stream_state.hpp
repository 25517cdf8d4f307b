#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "http/exchange.hpp"
#include "http/inbox.hpp"

namespace latchkey::http {

/// What a stream's writer and its connection share. Any thread may call.
class StreamState final : public std::enable_shared_from_this<StreamState> {
 public:
  static constexpr std::size_t max_waiting_bytes = 1024 * 1024;
  enum class End : std::uint8_t { open, finished, overflowed };
  struct Taken {
    std::vector<std::string> pieces;
    End end = End::open;
  };

  StreamState(std::shared_ptr<Inbox> inbox, Ticket ticket) : inbox_(std::move(inbox)), ticket_(ticket) {}

  // The writer's side; as Stream says.
  bool write(std::string piece);
  void close();
  bool closed() const;
  std::size_t waiting_bytes() const;

  // The connection's side.
  /// Everything written since. What was taken before has been sent.
  Taken take();
  /// The peer is gone or the server is draining: nothing more is accepted.
  void abandon();

 private:
  void ring();

  const std::shared_ptr<Inbox> inbox_;
  const Ticket ticket_;
  mutable Mutex mutex_;
  std::vector<std::string> pending_ GUARDED_BY(mutex_);
  std::size_t pending_bytes_ GUARDED_BY(mutex_) = 0;
  std::size_t in_flight_bytes_ GUARDED_BY(mutex_) = 0;  // taken last, perhaps not sent yet
  End end_ GUARDED_BY(mutex_) = End::open;
  bool abandoned_ GUARDED_BY(mutex_) = false;
  bool rung_ GUARDED_BY(mutex_) = false;  // the connection knows that there is something to take
};

/// The handle a handler gets. Dropped, it closes.
class StreamHandle final : public Stream {
 public:
  explicit StreamHandle(std::shared_ptr<StreamState> state) : state_(std::move(state)) {}
  ~StreamHandle() override { state_->close(); }
  bool write(std::string piece) override { return state_->write(std::move(piece)); }
  std::size_t waiting_bytes() const override { return state_->waiting_bytes(); }
  void close() override { state_->close(); }
  bool closed() const override { return state_->closed(); }

 private:
  const std::shared_ptr<StreamState> state_;
};

}  // namespace latchkey::http

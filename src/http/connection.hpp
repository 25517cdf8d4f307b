#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "http/codec.hpp"
#include "http/encode.hpp"
#include "http/exchange.hpp"
#include "http/input.hpp"
#include "http/io_thread_state.hpp"
#include "http/socket.hpp"
#include "http/stream_state.hpp"
#include "http/tls_session.hpp"
#include "http/transport.hpp"
#include "http/unread_body.hpp"

namespace latchkey::http {

/// One client at a time, from accept to close; reused for the next client. Its I/O thread's alone.
///
///   idle → head → body → handling → idle …            a request answered at once
///                        handling → skipping → idle … … without its body, which is passed over
///                        handling → owed → idle …     … or later
///                        owed → streaming → idle …    … or in pieces
///   any of them → closing (what is queued goes out) → lingering (the client reads it) → closed
///
/// It reads only in idle, head, body, skipping, streaming and lingering, and never while output waits to be sent, so a
/// client that does not read cannot make it buffer.
class Connection final : public Exchange, public TransportUser {
 public:
  Connection(IoThreadState& worker, std::uint32_t slot);

  /// A new client.
  void open(Socket socket, const Peer& peer);
  /// Receives at most once; IoThread then calls look_ahead(), answer_received() and send_answers().
  void on_readable() override;
  void on_turn() override;
  void on_sent(Socket::Status status) override;
  /// The request that answer_received() is going to begin with; nullptr: none is whole.
  const Request* look_ahead();
  void answer_received();
  void send_answers();
  /// What other threads have answered.
  void deliver(Delivery& delivery);
  /// Acts on timeouts.
  void sweep(CoarseTime now);
  void close();
  bool is_open() const { return phase_ != Phase::closed; }
  /// It is still this client's, and its TLS handshake is not over.
  bool shakes_hands(const Ticket& ticket) const { return ticket.generation == generation_ && shaking_hands_; }

  const Request& request() const override { return input_->codec.head().request; }
  Request& request() override { return input_->codec.head().request; }
  const Peer& peer() const override { return peer_; }
  void answer(const Answer& answer) override;
  Later defer() override;
  unsigned thread_index() const override { return state_.index; }

 private:
  enum class Phase : std::uint8_t { closed, idle, head, body, handling, skipping, owed, streaming, closing, lingering };
  enum class Flush : std::uint8_t { done, waiting };
  enum class Reading : std::uint8_t { no, input, side };

  bool receiving() const {
    return phase_ == Phase::idle || phase_ == Phase::head || phase_ == Phase::body || phase_ == Phase::skipping;
  }
  void enter(Phase phase);
  void advance();
  void take_requests();
  Codec::Status parse();
  bool take_request();
  bool skip_body();
  void await_body();
  void serve();
  void call_handler();
  void refuse(const Refusal& refusal);
  void finish_request();
  Framing settle_framing();
  bool is_current(const Ticket& ticket) const { return ticket.generation == generation_ && phase_ == Phase::owed; }

  void begin_stream(const Answer& head, std::shared_ptr<StreamState> stream);
  bool pump_stream();

  void take_octets(std::span<const char> octets);
  void begin_handshake();
  void end_handshake();
  Flush flush();
  Flush hand_over();
  void give_back();
  void give_back_if_idle();
  void give_back_input();
  void wait_to_write();
  void write_on();
  void start_read() { reading_ = Reading::input; }
  void start_side_read();
  void go_on();
  void read();
  void side_read();
  void await_turn();
  bool receive(std::span<char> room, std::size_t& n);
  void linger();

  static constexpr CoarseTime never = INT64_MAX;
  static constexpr std::size_t high_water = 64 * 1024;  // of output, before pipelined requests must wait
  static constexpr std::size_t kept_for_next = 64;      // closed connections that keep their buffers
  static constexpr std::chrono::milliseconds linger_time{1000};

  IoThreadState& state_;
  const std::unique_ptr<Transport> transport_;
  Peer peer_;
  std::unique_ptr<TlsSession> tls_;  // none: plain
  std::shared_ptr<Input> input_;     // none: no octets wait to be used
  std::string out_;                  // answers not sent yet
  std::shared_ptr<StreamState> stream_;
  std::optional<UnreadBody> unread_;    // of the request that is handled, or was
  CoarseTime deadline_ = never;         // of the phase
  CoarseTime write_deadline_ = never;   // while output waits
  std::uint64_t generation_ = 0;        // counts clients
  std::optional<Codec::Status> ahead_;  // of the input, as look_ahead() found it
  const std::uint32_t slot_;
  Phase phase_ = Phase::closed;
  Persistence persistence_ = Persistence::keep_alive;  // as the current answer says
  bool first_request_ = true;
  bool answered_ = false;
  bool deferred_ = false;
  bool shaking_hands_ = false;     // counted in the worker's unfinished_handshakes
  bool continued_ = false;         // "100 Continue" has been sent
  Reading reading_ = Reading::no;  // what is wanted from the socket
  bool readable_ = false;          // for all we know: told so, and not yet read empty
  bool queued_ = false;            // for another turn
  bool said_goodbye_ = false;      // the peer has sent all, in TLS: nothing more is read
  bool writing_ = false;           // until the rest of what was sent has gone
};

}  // namespace latchkey::http

// The connection's reads and writes: one of each a batch of requests.
//
// Of all that are ready in a turn, each receives, then each answers, then each sends (IoThread::answer_received). One
// after the other they would find our code thrown out of the cache by the kernel's each time, and the other way round.
// Before they answer, the handler hears of them all: what each needs can come from memory while others' is under way.

#include "http/connection.hpp"

namespace latchkey::http {

void Connection::on_readable() {
  readable_ = true;
  go_on();
}

void Connection::on_turn() {
  queued_ = false;
  go_on();
}

void Connection::on_sent(Socket::Status status) {
  switch (status) {
    case Socket::Status::ended:
      return close();
    case Socket::Status::later:
      return wait_to_write();
    case Socket::Status::done:
      write_on();
      go_on();
  }
}

// Reads once if something is wanted and there.
void Connection::go_on() {
  if (phase_ == Phase::closed || !readable_ || reading_ == Reading::no) return;
  reading_ == Reading::input ? read() : side_read();
  await_turn();
}

// A client that sends without end lets the others have their turn.
void Connection::await_turn() {
  if (readable_ && reading_ != Reading::no && !std::exchange(queued_, true)) state_.poller->requeue(*this);
}

void Connection::answer_received() {
  if (phase_ != Phase::closed) take_requests();
}

void Connection::send_answers() {
  if (phase_ != Phase::closed) advance();
  await_turn();
}

// False: nothing has come, or the connection is closed.
bool Connection::receive(std::span<char> room, std::size_t& n) {
  const auto [status, size, more] = transport_->receive(room);
  if (status == Socket::Status::ended) return close(), false;
  readable_ = more;
  n = size;
  return status == Socket::Status::done;
}

void Connection::read() {
  if (!input_) input_ = state_.inputs.take();
  const auto room = tls_ ? std::span<char>(state_.landing) : input_->buffer.prepare();
  std::size_t n = 0;
  if (!receive(room, n)) return give_back_if_idle();
  if (tls_) {
    take_octets(room.first(n));
  } else {
    input_->buffer.commit(n);
  }
  reading_ = Reading::no;  // until its turn to answer and send
  state_.received.push_back(this);
}

// What the peer sent, into the input.
void Connection::take_octets(std::span<const char> octets) {
  if (!tls_) return input_->buffer.append({octets.data(), octets.size()});
  const auto status = tls_->receive({octets.data(), octets.size()}, input_->buffer);
  if (tls_->established()) end_handshake();
  switch (status) {
    case TlsSession::Status::open:
      return;
    case TlsSession::Status::ended:  // of the peer's own octets (RFC 8446, 6.1): answers are still owed
      said_goodbye_ = true;
      return;
    case TlsSession::Status::plain_http:
      end_handshake();
      tls_.reset();
      return refuse({RefusalKind::bad_request, "this port speaks TLS: use https"});
    case TlsSession::Status::failed:
      state_.tallies.malformed.add();
      return enter(Phase::closing);
  }
}

// A client that sends more than a few requests in advance on a stream's connection is cut off: not reading on would
// mean not hearing that he left.
void Connection::start_side_read() {
  if (input_ && input_->buffer.size() > InputBuffer::usual_capacity) return close();
  reading_ = Reading::side;
}

void Connection::side_read() {
  std::size_t n = 0;
  const std::span<char> landing(state_.landing);
  if (!receive(landing, n) || phase_ == Phase::lingering) return;
  take_octets(landing.first(n));
  if (phase_ == Phase::streaming) return said_goodbye_ ? close() : start_side_read();
  if (phase_ != Phase::closed) advance();
}

Connection::Flush Connection::flush() {
  if (writing_ || phase_ == Phase::closed) return Flush::waiting;
  if (tls_) tls_->seal(out_);
  return hand_over();
}

Connection::Flush Connection::hand_over() {
  if (out_.empty()) return Flush::done;
  switch (transport_->send(out_)) {
    case Socket::Status::done:
      return Flush::done;
    case Socket::Status::later:
      wait_to_write();
      return Flush::waiting;
    case Socket::Status::ended:
      break;
  }
  close();
  return Flush::waiting;
}

// Reading goes on when the client has its answers, but for a stream's, which shows whether the client is still there.
void Connection::wait_to_write() {
  writing_ = true;
  if (phase_ != Phase::streaming) reading_ = Reading::no;
  write_deadline_ = state_.now + state_.config.write_timeout.count();
}

void Connection::write_on() {
  writing_ = false;
  if (receiving()) enter(phase_);
  advance();
}

// Closing with octets unread would reset the connection, and the reset could overtake the answer.
void Connection::linger() {
  if (tls_) tls_->finish(out_);
  if (hand_over() == Flush::waiting) return;
  if (transport_->settle() == Socket::Status::later) return wait_to_write();
  if (!transport_->finish_sending()) return close();
  give_back_input();
  enter(Phase::lingering);
  start_side_read();
}

}  // namespace latchkey::http

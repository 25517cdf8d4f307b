// The connection's reads and writes: one of each a batch of requests.
//
// Of all that are ready in a turn, each receives, then each answers, then each sends (IoThread::answer_received). One
// after the other they would find our code thrown out of the cache by the kernel's each time, and the other way round.
// Before they answer, the handler hears of them all: what each needs can come from memory while others' is under way.

#include "http/connection.hpp"

namespace latchkey::http {

void Connection::on_ready(std::uint32_t events) {
  if (events == 0) queued_ = false;
  if (phase_ == Phase::closed) return;  // an event that was on its way already
  if ((events & ~std::uint32_t{EPOLLOUT}) != 0) readable_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) half_closed_ = true;
  if (writing_ && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) write_on();
  go_on();
}

// Reads once if something is wanted and there.
void Connection::go_on() {
  if (!readable_ || reading_ == Reading::no) return;
  reading_ == Reading::input ? read() : side_read();
  await_turn();
}

// Who sends without end lets the others have their turn.
void Connection::await_turn() {
  if (readable_ && reading_ != Reading::no && !std::exchange(queued_, true)) state_.poller.requeue(*this);
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
  const auto [status, size] = socket_.receive(room);
  if (status == Socket::Status::ended) return close(), false;
  // Less than would fit: that was all, and what comes later will be told. The end of the peer's octets is not told
  // twice.
  readable_ = half_closed_ ? status == Socket::Status::done : size == room.size();
  n = size;
  return status == Socket::Status::done;
}

void Connection::read() {
  const auto room = tls_ ? tls_->room() : input_->buffer.prepare();
  std::size_t n = 0;
  if (!receive(room, n)) return;
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

// Somebody who sends a stream's connection more than a few requests in advance is cut off: not reading on would mean
// not hearing that he left.
void Connection::start_side_read() {
  if (input_->buffer.size() > InputBuffer::usual_capacity) return close();
  reading_ = Reading::side;
}

void Connection::side_read() {
  std::size_t n = 0;
  if (!receive(side_, n) || phase_ == Phase::lingering) return;
  take_octets(std::span(side_).first(n));
  if (phase_ == Phase::streaming) return said_goodbye_ ? close() : start_side_read();
  if (phase_ != Phase::closed) advance();
}

// Sends at once: a socket is nearly always writable, and waiting to hear so would cost another turn of the loop.
Connection::Flush Connection::flush() {
  if (writing_ || phase_ == Phase::closed) return Flush::waiting;
  if (tls_) tls_->seal(out_);
  std::size_t sent = 0;
  while (sent < out_.size()) {
    const auto [status, n] = socket_.send(std::string_view(out_).substr(sent));
    if (status == Socket::Status::later) return wait_to_write(sent), Flush::waiting;
    if (status == Socket::Status::ended) return close(), Flush::waiting;
    sent += n;
  }
  forget(out_);
  return Flush::done;
}

void Connection::forget(std::string& output) {
  output.clear();
  if (output.capacity() > kept_output) std::string().swap(output);
}

void Connection::wait_to_write(std::size_t sent) {
  sending_.swap(out_);
  out_.clear();
  sent_ = sent;
  writing_ = true;
  write_deadline_ = state_.now + state_.config.write_timeout.count();
}

void Connection::write_on() {
  while (sent_ < sending_.size()) {
    const auto [status, n] = socket_.send(std::string_view(sending_).substr(sent_));
    if (status == Socket::Status::ended) return close();
    if (status == Socket::Status::later) return;
    sent_ += n;
    write_deadline_ = state_.now + state_.config.write_timeout.count();
  }
  writing_ = false;
  forget(sending_);
  if (receiving()) enter(phase_);
  advance();
}

// Closing with octets unread would reset the connection, and the reset could overtake the answer.
void Connection::linger() {
  if (tls_) {
    tls_->finish(out_);
    socket_.send(out_);
    out_.clear();
  }
  if (!socket_.finish_sending()) return close();
  input_->buffer.consume(input_->buffer.size());
  enter(Phase::lingering);
  start_side_read();
}

}  // namespace latchkey::http

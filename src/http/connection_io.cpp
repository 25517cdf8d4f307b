// The connection's reads and writes.

#include <ctime>

#include <boost/asio/buffer.hpp>

#include "http/connection.hpp"

namespace latchkey::http {

CoarseTime coarse_now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

void Connection::start_read() {
  if (reading_ || side_reading_) return;
  const auto room = tls_ ? tls_->room() : input_->buffer.prepare();
  reading_ = true;
  ++operations_;
  socket_.async_read_some(asio::buffer(room.data(), room.size()),
                          [this](const error_code& ec, std::size_t n) { on_read(ec, n); });
}

void Connection::on_read(const error_code& ec, std::size_t n) {
  reading_ = false;
  --operations_;
  if (phase_ == Phase::closed) return release();
  if (phase_ == Phase::closing) return;  // a timeout's answer is on its way out
  if (ec) return close();
  if (phase_ == Phase::lingering) return start_side_read();
  if (tls_) {
    take_octets(tls_->room().first(n));
  } else {
    input_->buffer.commit(n);
  }
  advance();
}

// What the peer sent, into the input.
void Connection::take_octets(std::span<const char> octets) {
  if (!tls_) return input_->buffer.append({octets.data(), octets.size()});
  switch (tls_->receive({octets.data(), octets.size()}, input_->buffer)) {
    case TlsSession::Status::open:
      return;
    case TlsSession::Status::ended:
      return close();
    case TlsSession::Status::plain_http:
      tls_.reset();
      return refuse({RefusalKind::bad_request, "this port speaks TLS: use https"});
    case TlsSession::Status::failed:
      worker_.tallies.malformed.add();
      return enter(Phase::closing);
  }
}

// Somebody who sends a stream's connection more than a few requests in advance is cut off: not reading on would mean
// not hearing that he left.
void Connection::start_side_read() {
  if (reading_ || side_reading_) return;
  if (input_->buffer.size() > InputBuffer::usual_capacity) return close();
  side_reading_ = true;
  ++operations_;
  socket_.async_read_some(asio::buffer(side_), [this](const error_code& ec, std::size_t n) { on_side_read(ec, n); });
}

void Connection::on_side_read(const error_code& ec, std::size_t n) {
  side_reading_ = false;
  --operations_;
  if (phase_ == Phase::closed) return release();
  if (ec && phase_ != Phase::closing) return close();
  if (phase_ == Phase::lingering) return start_side_read();
  side_size_ = n;
  if (phase_ == Phase::streaming) merge_side();
  if (phase_ == Phase::streaming) return start_side_read();
  if (receiving() || phase_ == Phase::closing) advance();
}

void Connection::merge_side() { take_octets(std::span(side_).first(std::exchange(side_size_, 0))); }

// Sends at once: a socket is nearly always writable, and waiting to hear so would cost another turn of the loop.
Connection::Flush Connection::flush() {
  if (writing_ || phase_ == Phase::closed) return Flush::waiting;
  if (tls_) tls_->seal(out_);
  std::size_t sent = 0;
  while (sent < out_.size()) {
    error_code ec;
    sent += socket_.write_some(asio::buffer(out_.data() + sent, out_.size() - sent), ec);
    if (ec == asio::error::would_block) return start_write(sent), Flush::waiting;
    if (ec) return close(), Flush::waiting;
  }
  forget(out_);
  return Flush::done;
}

void Connection::forget(std::string& output) {
  output.clear();
  if (output.capacity() > kept_output) std::string().swap(output);
}

void Connection::start_write(std::size_t sent) {
  sending_.swap(out_);
  out_.clear();
  sent_ = sent;
  writing_ = true;
  continue_write();
}

void Connection::continue_write() {
  write_deadline_ = coarse_now() + worker_.config.write_timeout.count();
  ++operations_;
  socket_.async_write_some(asio::buffer(sending_.data() + sent_, sending_.size() - sent_),
                           [this](const error_code& ec, std::size_t n) { on_written(ec, n); });
}

void Connection::on_written(const error_code& ec, std::size_t n) {
  --operations_;
  sent_ += n;
  const bool go_on = !ec && phase_ != Phase::closed && sent_ < sending_.size();
  if (go_on) return continue_write();
  writing_ = false;
  forget(sending_);
  if (phase_ == Phase::closed) return release();
  if (ec) return close();
  if (receiving()) enter(phase_);
  advance();
}

// Closing with octets unread would reset the connection, and the reset could overtake the answer.
void Connection::linger() {
  error_code ec;
  if (tls_) {
    tls_->finish(out_);
    socket_.write_some(asio::buffer(out_), ec);
    out_.clear();
  }
  socket_.shutdown(Socket::shutdown_send, ec);
  if (ec) return close();
  input_->buffer.consume(input_->buffer.size());
  enter(Phase::lingering);
  start_side_read();
}

}  // namespace latchkey::http

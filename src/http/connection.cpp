#include "http/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <stdexcept>

#include "base/log.hpp"
#include "http/unsent.hpp"

namespace latchkey::http {
namespace {

// Holds the input, so that the request's views stay valid even when a forced stop closes the connection meanwhile.
class DeferredAnswer final : public Later::Sink {
 public:
  DeferredAnswer(std::shared_ptr<Inbox> inbox, Ticket ticket, std::shared_ptr<const Input> input)
      : inbox_(std::move(inbox)), ticket_(ticket), input_(std::move(input)) {}

  void answer(Response response) override {
    inbox_->post({Delivery::Kind::answer, ticket_, std::move(response), nullptr});
  }

  std::shared_ptr<Stream> stream(Response head) override {
    auto state = std::make_shared<StreamState>(inbox_, ticket_);
    if (!inbox_->post({Delivery::Kind::begin_stream, ticket_, std::move(head), state})) state->abandon();
    return std::make_shared<StreamHandle>(std::move(state));
  }

 private:
  const std::shared_ptr<Inbox> inbox_;
  const Ticket ticket_;
  const std::shared_ptr<const Input> input_;
};

}  // namespace

Connection::Connection(IoThreadState& state, std::uint32_t slot)
    : state_(state), transport_(state.poller->make_transport(*this)), slot_(slot) {}

void Connection::open(Socket socket, const Peer& peer) {
  peer_ = peer;
  const int on = 1;
  ::setsockopt(socket.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ahead_.reset();
  unread_.reset();
  if (state_.config.tls && !peer.over_unix_socket) begin_handshake();
  first_request_ = true;
  continued_ = readable_ = said_goodbye_ = writing_ = false;
  state_.connections_open.fetch_add(1, std::memory_order_relaxed);
  enter(Phase::idle);
  start_read();
  if (!transport_->open(std::move(socket))) close();
}

void Connection::close() {
  if (phase_ == Phase::closed) return;
  // The thread that owes the answer may still be reading the request: the memory is left to it.
  if (phase_ == Phase::owed) input_.reset();
  if (stream_) std::exchange(stream_, nullptr)->abandon();
  transport_->close();
  end_handshake();
  tls_.reset();
  enter(Phase::closed);
  reading_ = Reading::no;
  ++generation_;
  give_back();
  state_.connections_open.fetch_sub(1, std::memory_order_relaxed);
  state_.free_slots.push_back(slot_);
}

// For the next client a few keep what they have. Of a crowd that has gone nothing stays but the connections themselves.
void Connection::give_back() {
  give_back_input();
  Unsent::forget(out_);
  if (state_.free_slots.size() >= kept_for_next) std::string().swap(out_);
}

void Connection::give_back_if_idle() {
  if (phase_ == Phase::idle && input_ && input_->buffer.empty()) give_back_input();
}

void Connection::give_back_input() {
  if (input_) state_.inputs.give_back(std::move(input_));
}

void Connection::begin_handshake() {
  tls_ = std::make_unique<TlsSession>(*state_.config.tls->context());
  shaking_hands_ = true;
  ++state_.unfinished_handshakes;
  state_.handshakes.push_back({slot_, generation_});
}

void Connection::end_handshake() {
  if (std::exchange(shaking_hands_, false)) --state_.unfinished_handshakes;
}

void Connection::enter(Phase phase) {
  const auto& config = state_.config;
  phase_ = phase;
  switch (phase) {
    case Phase::idle:
      deadline_ = state_.now + (first_request_ ? config.head_timeout : config.idle_timeout).count();
      break;
    case Phase::head:
      deadline_ = state_.now + config.head_timeout.count();
      break;
    case Phase::body:
      deadline_ = state_.now + config.body_timeout.count();
      break;
    case Phase::skipping:
    case Phase::lingering:
      deadline_ = state_.now + linger_time.count();
      break;
    default:
      deadline_ = never;
  }
}

// Goes on until something must be waited for. All requests that have arrived are answered before the one send.
void Connection::advance() {
  reading_ = Reading::no;
  do {
    take_requests();
    if (flush() == Flush::waiting) return phase_ == Phase::streaming ? start_side_read() : void();
  } while (pump_stream());
  if (receiving() && said_goodbye_) enter(Phase::closing);
  if (phase_ == Phase::closing) {
    linger();
  } else if (phase_ == Phase::streaming) {
    start_side_read();
  } else if (receiving()) {
    give_back_if_idle();
    start_read();
  }
}

void Connection::take_requests() {
  while (receiving() && !writing_ && take_request()) {
    if (out_.size() >= high_water && flush() == Flush::waiting) return;
  }
}

Codec::Status Connection::parse() {
  InputBuffer& in = input_->buffer;
  std::size_t size = in.size();
  const auto status = input_->codec.parse(in.data(), size);
  in.resize(size);
  return status;
}

const Request* Connection::look_ahead() {
  if (!receiving() || phase_ == Phase::skipping || writing_ || !input_ || input_->buffer.empty()) return nullptr;
  ahead_ = parse();
  return ahead_ == Codec::Status::request ? &input_->codec.head().request : nullptr;
}

// Takes one request from the input; true: another may follow.
bool Connection::take_request() {
  if (phase_ == Phase::skipping) return skip_body();
  if (!input_ || input_->buffer.empty()) return false;
  const auto ahead = std::exchange(ahead_, std::nullopt);
  switch (ahead ? *ahead : parse()) {
    case Codec::Status::need_head:
      if (phase_ != Phase::head) enter(Phase::head);
      return false;
    case Codec::Status::need_body:
      await_body();
      return false;
    case Codec::Status::refused:
      refuse(input_->codec.refusal());
      return false;
    case Codec::Status::request:
      serve();
      break;
  }
  return receiving();
}

// A body that is malformed, or too long, gets no second answer.
bool Connection::skip_body() {
  switch (unread_->pass(input_->buffer)) {
    case UnreadBody::Status::need_more:
      return false;
    case UnreadBody::Status::refused:
      enter(Phase::closing);
      return false;
    case UnreadBody::Status::passed:
      break;
  }
  unread_.reset();
  enter(Phase::idle);
  return true;
}

void Connection::await_body() {
  if (phase_ != Phase::body) enter(Phase::body);
  if (input_->codec.head().expects_continue && !std::exchange(continued_, true)) out_ += continue_line;
}

void Connection::refuse(const Refusal& refusal) {
  state_.tallies.malformed.add();
  append_answer(out_, to_response(refusal).view(), {Version::http11, Persistence::close, BodyPart::send},
                state_.date.now());
  enter(Phase::closing);
}

void Connection::serve() {
  state_.tallies.requests.add();
  enter(Phase::handling);
  first_request_ = answered_ = deferred_ = false;
  if (input_->codec.body_unread()) unread_.emplace(input_->codec.head());
  call_handler();
  if (deferred_) return enter(Phase::owed);
  if (!answered_) {
    const Response response = to_response(Refusal{RefusalKind::internal_error, {}});
    answer(response.view());
  }
  finish_request();
}

void Connection::call_handler() {
  try {
    state_.handler.handle(*this);
    if (!answered_ && !deferred_) log_error("http: a handler neither answered nor deferred {}", request().path);
  } catch (const std::exception& e) {
    log_error("http: handler of {} failed: {}", request().path, e.what());
  } catch (...) {
    log_error("http: handler of {} failed: not a std::exception", request().path);
  }
}

// The request's input is given up only when the handler has returned: it may look at the request after answering.
void Connection::answer(const Answer& answer) {
  if (answered_ || deferred_) {
    log_error("http: a second answer to {} was dropped", request().path);
    return;
  }
  answered_ = true;
  append_answer(out_, answer, settle_framing(), state_.date.now());
}

Later Connection::defer() {
  if (answered_ || deferred_) throw std::logic_error("the request has been answered or deferred");
  deferred_ = true;
  return Later(std::make_shared<DeferredAnswer>(state_.inbox, Ticket{slot_, generation_}, input_));
}

Framing Connection::settle_framing() {
  const Head& head = input_->codec.head();
  const std::size_t received = input_->buffer.size() - input_->codec.consumed();
  const bool ends = state_.draining || (unread_ && !unread_->can_be_passed(received));
  persistence_ = ends ? Persistence::close : head.persistence;
  const BodyPart body = head.request.method == Method::head ? BodyPart::leave_out : BodyPart::send;
  return {head.version, persistence_, body};
}

void Connection::finish_request() {
  input_->buffer.consume(input_->codec.consumed());
  input_->codec.reset();
  continued_ = false;
  if (persistence_ == Persistence::close) return enter(Phase::closing);
  enter(unread_ ? Phase::skipping : Phase::idle);
}

void Connection::deliver(Delivery& delivery) {
  const bool ours = delivery.ticket.generation == generation_;
  switch (delivery.kind) {
    case Delivery::Kind::answer:
      if (!ours || phase_ != Phase::owed) return;
      append_answer(out_, delivery.response.view(), settle_framing(), state_.date.now());
      finish_request();
      break;
    case Delivery::Kind::begin_stream:
      if (!ours || phase_ != Phase::owed) return delivery.stream->abandon();
      begin_stream(delivery.response.view(), std::move(delivery.stream));
      break;
    default:
      if (!ours || phase_ != Phase::streaming) return;
  }
  advance();
  go_on();
}

void Connection::begin_stream(const Answer& head, std::shared_ptr<StreamState> stream) {
  Framing framing = settle_framing();
  // Nothing but the end of the connection ends a body of HTTP/1.0 of unknown length; and what the client sends
  // meanwhile lands where requests are read, so it must hold no unread body.
  if (framing.version == Version::http10 || unread_) framing.persistence = persistence_ = Persistence::close;
  append_stream_head(out_, head, framing, state_.date.now());
  finish_request();
  if (framing.body == BodyPart::leave_out) return stream->abandon();
  stream_ = std::move(stream);
  enter(Phase::streaming);
}

// Takes what has been written to the stream; true: there is output, or the stream has ended.
bool Connection::pump_stream() {
  if (phase_ != Phase::streaming) return false;
  const auto taken = stream_->take();
  const Version version = input_->codec.head().version;
  for (const auto& piece : taken.pieces) append_piece(out_, piece, version);
  if (taken.end == StreamState::End::overflowed) return close(), false;
  if (taken.end == StreamState::End::finished) {
    append_stream_end(out_, version);
    stream_.reset();
    enter(persistence_ == Persistence::keep_alive ? Phase::idle : Phase::closing);
    return true;
  }
  return !taken.pieces.empty();
}

void Connection::sweep(CoarseTime now) {
  if (phase_ == Phase::closed) return;
  if (state_.draining && stream_) stream_->close();
  if (writing_) {  // the client's own time begins when it has its answers
    if (now >= write_deadline_) close();
    return;
  }
  if (state_.draining && phase_ == Phase::idle) return close();
  if (now < deadline_) return;
  if (phase_ != Phase::head && phase_ != Phase::body) return close();
  refuse({RefusalKind::request_timeout, {}});
  advance();
  go_on();
}

}  // namespace latchkey::http

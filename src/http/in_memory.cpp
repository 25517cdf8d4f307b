#include "http/in_memory.hpp"

#include <exception>
#include <stdexcept>

#include "base/condition.hpp"
#include "base/mutex.hpp"
#include "http/ascii.hpp"
#include "http/refusal.hpp"
#include "http/target.hpp"

namespace latchkey::http {
namespace {

std::vector<std::pair<std::string, std::string>> split_lines(std::string_view lines) {
  std::vector<std::pair<std::string, std::string>> headers;
  while (!lines.empty()) {
    const auto end = lines.find("\r\n");
    const auto colon = lines.find(": ");
    if (end == std::string_view::npos || colon >= end) throw std::logic_error("malformed Answer::header_lines");
    headers.emplace_back(lines.substr(0, colon), lines.substr(colon + 2, end - colon - 2));
    lines.remove_prefix(end + 2);
  }
  return headers;
}

// Where the answer arrives, from whichever thread.
class Mailbox {
 public:
  void set_head(const Answer& answer) {
    const MutexLock lock(mutex_);
    reply_.status = answer.status;
    reply_.headers = split_lines(answer.header_lines);
    if (!answer.content_type.empty()) reply_.headers.emplace_back("Content-Type", answer.content_type);
  }

  bool append(std::string_view piece) {
    const MutexLock lock(mutex_);
    if (!done_) reply_.body += piece;
    return !done_;
  }

  void finish() {
    const MutexLock lock(mutex_);
    done_ = true;
    changed_.notify_all();
  }

  void answer(const Answer& answer) {
    set_head(answer);
    append(answer.body);
    finish();
  }

  bool done() const {
    const MutexLock lock(mutex_);
    return done_;
  }

  Reply wait() {
    const MutexLock lock(mutex_);
    while (!done_) changed_.wait(mutex_);
    return reply_;
  }

 private:
  mutable Mutex mutex_;
  Condition changed_;
  Reply reply_ GUARDED_BY(mutex_);
  bool done_ GUARDED_BY(mutex_) = false;
};

class MailboxStream final : public Stream {
 public:
  explicit MailboxStream(std::shared_ptr<Mailbox> mailbox) : mailbox_(std::move(mailbox)) {}
  ~MailboxStream() override { mailbox_->finish(); }
  bool write(std::string piece) override { return mailbox_->append(piece); }
  std::size_t waiting_bytes() const override { return 0; }
  void close() override { mailbox_->finish(); }
  bool closed() const override { return mailbox_->done(); }

 private:
  const std::shared_ptr<Mailbox> mailbox_;
};

class MailboxSink final : public Later::Sink {
 public:
  explicit MailboxSink(std::shared_ptr<Mailbox> mailbox) : mailbox_(std::move(mailbox)) {}
  void answer(Response response) override { mailbox_->answer(response.view()); }
  std::shared_ptr<Stream> stream(Response head) override {
    mailbox_->set_head(head.view());
    return std::make_shared<MailboxStream>(mailbox_);
  }

 private:
  const std::shared_ptr<Mailbox> mailbox_;
};

class MemoryExchange final : public Exchange {
 public:
  MemoryExchange(Request& request, const Peer& peer) : request_(request), peer_(peer) {}
  const Request& request() const override { return request_; }
  Request& request() override { return request_; }
  const Peer& peer() const override { return peer_; }
  void answer(const Answer& answer) override {
    settle();
    mailbox_->answer(answer);
  }
  Later defer() override {
    settle();
    return Later(std::make_shared<MailboxSink>(mailbox_));
  }
  unsigned thread_index() const override { return 0; }
  bool settled() const { return settled_; }
  Mailbox& mailbox() { return *mailbox_; }

 private:
  // Stricter than the server, which only logs: in a test a second answer should show.
  void settle() {
    if (std::exchange(settled_, true)) throw std::logic_error("the request has been answered or deferred");
  }

  Request& request_;
  const Peer peer_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  bool settled_ = false;
};

void run(Handler& handler, MemoryExchange& exchange) {
  try {
    handler.handle(exchange);
  } catch (const std::exception&) {
    // As the server does; what the handler has settled stands.
  }
  if (!exchange.settled()) exchange.answer(to_response(Refusal{RefusalKind::internal_error, {}}).view());
}

}  // namespace

std::string Reply::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return {};
}

Reply call(Handler& handler, Method method, std::string_view target, const std::vector<Header>& headers,
           std::string_view body, const Peer& peer) {
  Request request;
  request.method = method;
  request.method_text = to_string(method);
  request.target = target;
  request.headers = headers;
  request.body = body;
  MemoryExchange exchange(request, peer);
  if (split_target(request)) {
    run(handler, exchange);
  } else {
    exchange.answer(to_response(Refusal{RefusalKind::bad_request, "the request target is not one"}).view());
  }
  Reply reply = exchange.mailbox().wait();
  if (method == Method::head) reply.body.clear();
  return reply;
}

}  // namespace latchkey::http

// The load of clients that share their system calls: one io_uring call sends for all and receives for all, by the same
// transport as the server's. As fast as answers come, without TLS.

#include <fcntl.h>

#include <memory>
#include <stdexcept>
#include <utility>

#include "http/io_engine.hpp"
#include "load/clock.hpp"
#include "load/connection.hpp"
#include "load/load.hpp"

namespace latchkey::bench {
namespace {

class BatchingLoad {
 public:
  explicit BatchingLoad(const Plan& plan) : plan_(plan), requests_(plan), poller_(make_poller()) {
    for (unsigned i = 0; i < plan.connections; ++i) clients_.push_back(std::make_unique<Client>(*this));
  }

  Outcome run() {
    const std::uint64_t began = now_ns(), began_cpu = cpu_ns();
    const std::uint64_t end = began + static_cast<std::uint64_t>(plan_.duration.count()) * 1'000'000;
    for (auto& client : clients_) client->ask();
    http::CoarseTime coarse = 0;
    while (now_ = now_ns(), now_ < end && !is_enough()) poller_->turn(std::chrono::milliseconds(100), coarse);
    out_.seconds = static_cast<double>(now_ns() - began) / 1e9;
    out_.cpu_seconds = static_cast<double>(cpu_ns() - began_cpu) / 1e9;
    for (auto& client : clients_) client->close();
    poller_->finish();
    if (failed_) throw std::runtime_error("the server closed a connection");
    return std::move(out_);
  }

 private:
  class Client final : public http::TransportUser {
   public:
    explicit Client(BatchingLoad& load)
        : load_(load), connected_(load.plan_.port, nullptr), transport_(load.poller_->make_transport(*this)) {
      transport_->open(http::Socket(::fcntl(connected_.descriptor(), F_DUPFD_CLOEXEC, 0)));
    }
    void close() { transport_->close(); }
    void ask() {
      batch_.clear();
      for (unsigned i = 0; i < load_.plan_.pipeline; ++i) batch_ += load_.requests_.next();
      connected_.owed = load_.plan_.pipeline;
      connected_.sent_at = now_ns();
      transport_->send(batch_);
    }

    void on_readable() override {
      for (bool more = true; more;) {
        const auto got = transport_->receive({connected_.answers.room(), Answers::read_size});
        if (got.status == http::Socket::Status::ended) return load_.fail();
        more = got.more;
        if (got.size > 0) take(connected_.answers.commit(got.size, load_.out_.statuses));
      }
    }
    void on_sent(http::Socket::Status status) override {
      if (status == http::Socket::Status::ended) load_.fail();
    }
    void on_turn() override {}

   private:
    void take(unsigned whole) {
      if (whole > connected_.owed) throw std::runtime_error("more answers than requests");
      load_.out_.answers += whole;
      load_.out_.latency.add(now_ns() - connected_.sent_at, whole);
      connected_.owed -= whole;
      if (connected_.owed == 0 && whole > 0) ask();
    }

    BatchingLoad& load_;
    Connection connected_;
    const std::unique_ptr<http::Transport> transport_;
    std::string batch_;
  };

  static std::unique_ptr<http::Poller> make_poller() {
    const auto chosen = http::choose_engine(http::IoEngine::io_uring);
    if (!chosen) throw std::runtime_error(chosen.error().detail);
    return http::make_poller(chosen->engine);
  }
  bool is_enough() const { return failed_ || (plan_.requests > 0 && out_.answers >= plan_.requests); }
  void fail() { failed_ = true; }

  const Plan& plan_;
  Requests requests_;
  const std::unique_ptr<http::Poller> poller_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint64_t now_ = 0;
  bool failed_ = false;
  Outcome out_;
};

}  // namespace

Outcome run_batching(const Plan& plan) {
  if (plan.tls || plan.rate > 0) throw std::runtime_error("batching clients know neither TLS nor a rate");
  return BatchingLoad(plan).run();
}

}  // namespace latchkey::bench

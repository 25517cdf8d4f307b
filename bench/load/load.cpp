#include "load/load.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

#include "load/clock.hpp"
#include "load/connection.hpp"

namespace latchkey::bench {
namespace {

class Load {
 public:
  explicit Load(const Plan& plan) : plan_(plan), requests_(plan), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (plan.tls) {
      context_.reset(SSL_CTX_new(TLS_client_method()));
      SSL_CTX_set_read_ahead(context_.get(), 1);  // one system call a record instead of two
    }
    connections_.reserve(plan.connections);
    for (unsigned i = 0; i < plan.connections; ++i) {
      connections_.emplace_back(plan.port, context_.get());
      epoll_event event{EPOLLIN, {.u32 = i}};
      ::epoll_ctl(poll_, EPOLL_CTL_ADD, connections_.back().descriptor(), &event);
      idle_.push_back(i);
    }
    out_.cipher = connections_.front().cipher();
  }
  ~Load() { ::close(poll_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  Outcome run() {
    ::prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);  // 50 µs by default, as long as an answer takes
    began_ = now_ns();
    const std::uint64_t began_cpu = cpu_ns();
    const std::uint64_t end = began_ + static_cast<std::uint64_t>(plan_.duration.count()) * 1'000'000;
    for (std::uint64_t now = began_; now < end && !is_enough(); now = now_ns()) {
      send_due(now);
      receive_ready();
    }
    out_.seconds = static_cast<double>(now_ns() - began_) / 1e9;
    out_.cpu_seconds = static_cast<double>(cpu_ns() - began_cpu) / 1e9;
    return std::move(out_);
  }

 private:
  bool is_enough() const { return plan_.requests > 0 && out_.answers >= plan_.requests; }

  // At a rate, a batch goes when its time has come and a connection is free; what is late is made up for.
  void send_due(std::uint64_t now) {
    while (!idle_.empty()) {
      const double elapsed = static_cast<double>(now - began_) / 1e9;
      if (plan_.rate > 0 && static_cast<double>(sent_) >= elapsed * plan_.rate) return;
      if (plan_.requests > 0 && sent_ >= plan_.requests) return;
      Connection& connection = connections_[idle_.back()];
      idle_.pop_back();
      batch_.clear();
      for (unsigned i = 0; i < plan_.pipeline; ++i) batch_ += requests_.next();
      // At a rate an answer's time counts from when its request was due: waiting for a free connection is part of it.
      const double due = static_cast<double>(sent_) / std::max(plan_.rate, 1.0) * 1e9;
      connection.sent_at = plan_.rate > 0 ? began_ + static_cast<std::uint64_t>(due) : now_ns();
      connection.owed = plan_.pipeline;
      connection.send(batch_);
      sent_ += plan_.pipeline;
    }
  }

  // Until an answer comes or the next request is due.
  timespec patience(std::uint64_t now) const {
    if (plan_.rate <= 0 || idle_.empty()) return {0, 100'000'000};
    const double due = static_cast<double>(sent_) / plan_.rate - static_cast<double>(now - began_) / 1e9;
    return {0, static_cast<long>(std::clamp(due * 1e9, 0.0, 1e8))};
  }

  void receive_ready() {
    std::array<epoll_event, 64> events;
    const timespec longest = patience(now_ns());
    const int n = ::epoll_pwait2(poll_, events.data(), static_cast<int>(events.size()), &longest, nullptr);
    for (int i = 0; i < n; ++i) receive(events[static_cast<std::size_t>(i)].data.u32);
  }

  void receive(std::uint32_t index) {
    Connection& connection = connections_[index];
    unsigned whole = 0;
    do {
      const auto size = connection.receive(connection.answers.room());
      if (!size) break;
      whole += connection.answers.commit(*size, out_.statuses);
    } while (connection.holds_more());
    if (whole == 0) return;
    if (whole > connection.owed) throw std::runtime_error("more answers than requests");
    out_.latency.add(now_ns() - connection.sent_at, whole);
    out_.answers += whole;
    connection.owed -= whole;
    if (connection.owed == 0) idle_.push_back(index);
  }

  const Plan& plan_;
  Requests requests_;
  const int poll_;
  SslContext context_;
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> idle_;
  std::string batch_;
  std::uint64_t began_ = 0;
  std::uint64_t sent_ = 0;
  Outcome out_;
};

}  // namespace

std::string Outcome::to_json() const {
  std::string counts;
  for (const auto& [status, count] : statuses) {
    counts += fmt::format("{}\"{}\":{}", counts.empty() ? "" : ",", status, count);
  }
  return fmt::format(
      R"({{"seconds":{:.4f},"cpuSeconds":{:.4f},"answers":{},"perSecond":{:.0f},"p50Micros":{:.1f},"p99Micros":{:.1f},"cipher":"{}","statuses":{{{}}}}})",
      seconds, cpu_seconds, answers, static_cast<double>(answers) / seconds, latency.quantile_micros(0.5),
      latency.quantile_micros(0.99), cipher, counts);
}

Outcome run(const Plan& plan) { return Load(plan).run(); }

}  // namespace latchkey::bench

#pragma once

// Clients that come and go, and what answers them with their own octets through UringTransport, over ScriptedKernel:
// the script says what happens. Each client's octets are its own, so that one that gets another's, or twice, or late,
// notices. At the end all goes well, and all must have come back, and nothing may be left in the kernel.

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "http/testing/scripted_kernel.hpp"
#include "http/uring/uring_poller.hpp"

namespace latchkey::http {

class EchoWorld {
 public:
  explicit EchoWorld(std::span<const std::uint8_t> octets) : script_(octets) {
    auto kernel = std::make_unique<ScriptedKernel>(script_);
    kernel_ = kernel.get();
    poller_ = std::make_unique<UringPoller>(std::move(kernel));
    for (auto& peer : peers_) peer = std::make_unique<Peer>(*this);
  }

  void run() {
    for (unsigned i = 0; i < most_steps && !script_.over(); ++i) step(*peers_[script_.next(peer_count)]);
    script_ = Script({});
    for (auto& peer : peers_) peer->resume();
    for (int i = 0; i < 20'000 && (i < 10 || anything_missing()); ++i) {
      turn();
      for (auto& peer : peers_) peer->client_reads();
    }
    require(!anything_missing(), "all has come back");
    end();
  }

 private:
  // Some answers wait for clients that do not read.
  void end() {
    kernel_->take_away_room();
    for (auto& peer : peers_) peer->client_writes(10);
    for (int i = 0; i < 3; ++i) turn();
    for (auto& peer : peers_) peer->server_closes();
    poller_->finish();
    require(kernel_->in_progress() == 0, "the kernel holds nothing open");
    for (auto& peer : peers_) peer->expect_end();
  }

  static constexpr unsigned peer_count = 3;
  static constexpr unsigned most_steps = 400;

  static void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
  }

  static char octet(std::uint32_t client, std::size_t at) {
    return static_cast<char>((client * 2654435761U >> 7) + at * 167 + (at >> 8));
  }

  class Peer final : public TransportUser {
   public:
    explicit Peer(EchoWorld& world) : world_(world), transport_(world.poller_->make_transport(*this)) {}

    void connect() {
      if (open_) return;
      int ends[2];
      require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
      client_ = Socket(ends[0]);
      number_ = ++world_.clients_;
      written_ = received_ = echoed_ = 0;
      open_ = wants_ = true;
      writing_ = readable_ = client_done_ = false;
      require(transport_->open(Socket(ends[1])), "open");
    }
    void client_writes(std::size_t size) {
      if (!client_.is_open() || client_done_) return;
      std::string octets;
      for (std::size_t i = 0; i < size; ++i) octets += octet(number_, written_ + i);
      const auto [status, n] = client_.send(octets);
      if (status == Socket::Status::done) written_ += n;
    }
    void client_reads() {
      char octets[4096];
      while (client_.is_open()) {
        const auto [status, n] = client_.receive(octets);
        if (status == Socket::Status::ended) ended_ = true;
        if (status != Socket::Status::done) return;
        for (std::size_t i = 0; i < n; ++i) require(octets[i] == octet(number_, echoed_++), "its own octets, in order");
        require(echoed_ <= received_, "nothing that was not sent");
      }
    }
    void client_finishes() { client_done_ = client_.is_open() && client_.finish_sending(); }
    void client_leaves() { client_.close(); }
    void server_closes() {
      if (std::exchange(open_, false)) transport_->close();
    }
    void pause() { wants_ = false; }
    void resume() {
      wants_ = true;
      go_on();
    }
    void settle() {
      if (open_ && !writing_ && transport_->settle() == Socket::Status::later) writing_ = true;
    }
    bool misses_some() const { return open_ && client_.is_open() && echoed_ != written_; }
    void expect_end() {
      client_reads();
      if (client_.is_open() && number_ > 0) require(ended_, "the client sees the end");
    }

    void on_readable() override {
      require(open_, "nothing is told after close()");
      readable_ = true;
      go_on();
    }
    void on_turn() override {
      queued_ = false;
      go_on();
    }
    void on_sent(Socket::Status status) override {
      require(open_, "nothing is told after close()");
      writing_ = status != Socket::Status::done;
      if (status == Socket::Status::ended) return server_closes();
      go_on();
    }

   private:
    // As a connection does: reads once a turn, never while it waits to write.
    void go_on() {
      if (!open_ || !readable_ || !wants_ || writing_) return;
      std::array<char, 512> room;
      const auto got = transport_->receive(std::span(room).first(512 - 2 * world_.script_.next(256)));
      if (got.status == Socket::Status::ended) return server_closes();
      readable_ = got.more;
      std::string echo(room.data(), got.size);
      for (const char c : echo) require(c == octet(number_, received_++), "received in order");
      if (!echo.empty() && transport_->send(echo) == Socket::Status::later) writing_ = true;
      if (readable_ && !std::exchange(queued_, true)) world_.poller_->requeue(*this);
    }

    EchoWorld& world_;
    const std::unique_ptr<Transport> transport_;
    Socket client_;
    std::uint32_t number_ = 0;
    std::size_t written_ = 0, received_ = 0, echoed_ = 0;
    bool open_ = false, wants_ = true, writing_ = false, readable_ = false, queued_ = false;
    bool client_done_ = false, ended_ = false;
  };

  bool anything_missing() const {
    return std::any_of(peers_.begin(), peers_.end(), [](const auto& peer) { return peer->misses_some(); });
  }

  void turn() {
    CoarseTime now = 0;
    poller_->turn(std::chrono::milliseconds(0), now);
  }

  void step(Peer& peer) {
    switch (script_.next(14)) {
      case 0:
      case 1:
      case 2:
        return turn();
      case 3:
      case 4:
        return peer.connect();
      case 5:
      case 6:
        return peer.client_writes(1 + script_.next(255));
      case 7:
        return peer.client_writes(9000);
      case 8:
        return peer.client_reads();
      case 9:
        return script_.next(4) == 0 ? peer.client_leaves() : peer.client_finishes();
      case 10:
        return script_.next(2) == 0 ? peer.server_closes() : peer.settle();
      case 11:
        return peer.pause();
      case 12:
        return peer.resume();
      default:
        return poller_->submit();
    }
  }

  Script script_;
  std::uint32_t clients_ = 0;
  ScriptedKernel* kernel_ = nullptr;
  std::unique_ptr<UringPoller> poller_;
  std::array<std::unique_ptr<Peer>, peer_count> peers_;
};

}  // namespace latchkey::http

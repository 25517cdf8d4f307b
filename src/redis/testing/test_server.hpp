#pragma once

// For tests: a private, real redis-server on a free port of the loopback, gone with the object.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "redis/connection.hpp"
#include "redis/testing/test_certificate.hpp"

namespace latchkey::redis {

class TestServer {
 public:
  /// `more`: further arguments ("--appendonly", "yes", …). By default nothing is kept over a restart. With a certificate
  /// it speaks TLS only. With a Sentinel's file it is one.
  explicit TestServer(std::vector<std::string> more = {}, const TestCertificate* certificate = nullptr,
                      std::string sentinel_file = {})
      : more_(std::move(more)), certificate_(certificate), sentinel_file_(std::move(sentinel_file)) {
    for (int attempt = 0; attempt < 5; ++attempt) {
      port_ = free_port();
      if (try_start()) return;
    }
    throw std::runtime_error("redis-server does not start");
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  ~TestServer() { kill(); }

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& user = "") const {
    const std::string place = user + "127.0.0.1:" + std::to_string(port_);
    return certificate_ == nullptr ? "redis://" + place : "rediss://" + place + "?ca=" + certificate_->file();
  }
  /// With the certificate's name, and a client's certificate, should it ask for one.
  Address address() const {
    Address address = *Address::parse(url());
    if (address.tls)
      address.tls = Tls{certificate_->file(), certificate_->name(), certificate_->file(), certificate_->key()};
    return address;
  }
  std::unique_ptr<Connection> connect(Timeouts timeouts = {}) const {
    return std::move(Connection::open(address(), timeouts).value());
  }
  /// One command on a connection of its own.
  Reply run(const Command& command) const { return connect()->run(command).value(); }

  /// SIGTERM, and waits.
  void stop() { end(SIGTERM); }
  /// SIGKILL.
  void kill() { end(SIGKILL); }
  /// On the same port.
  void start() {
    for (int attempt = 0; attempt < 20; ++attempt) {
      if (try_start()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw std::runtime_error("redis-server does not start again");
  }
  /// Accepts connections and answers nothing, until resume().
  void pause() const { ::kill(process_, SIGSTOP); }
  void resume() const { ::kill(process_, SIGCONT); }

 private:
  static std::uint16_t free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(probe, reinterpret_cast<const sockaddr*>(&address), size);
    ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(probe);
    return ntohs(address.sin_port);
  }

  bool try_start() {
    std::vector<std::string> words{"redis-server"};
    const auto add = [&](const std::vector<std::string>& some) { words.insert(words.end(), some.begin(), some.end()); };
    if (!sentinel_file_.empty()) add({sentinel_file_, "--sentinel"});
    add({certificate_ == nullptr ? "--port" : "--tls-port", std::to_string(port_), "--bind", "127.0.0.1", "--dir",
         std::filesystem::temp_directory_path().string(), "--loglevel", "warning"});
    if (sentinel_file_.empty()) add({"--save", "", "--appendonly", "no"});
    if (certificate_ != nullptr) add(certificate_->server_arguments());
    add(more_);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t parent = ::getpid();
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // no server outlives a test that crashed
      const int silent = ::open("/dev/null", O_RDWR | O_CLOEXEC);
      ::dup2(silent, STDOUT_FILENO);
      if (::getppid() == parent) ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    return answers();
  }

  bool answers() {
    for (;;) {
      if (Connection::open(address())) return true;
      if (::waitpid(process_, nullptr, WNOHANG) == process_) {
        process_ = -1;
        return false;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  void end(int signal_number) {
    if (process_ <= 0) return;
    ::kill(process_, signal_number);
    ::kill(process_, SIGCONT);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }

  const std::vector<std::string> more_;
  const TestCertificate* const certificate_;
  const std::string sentinel_file_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

}  // namespace latchkey::redis

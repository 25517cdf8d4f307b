#pragma once

// For tests: a real Sentinel that watches a primary by the name "main".

#include <fstream>

#include "base/testing/temporary_directory.hpp"
#include "redis/testing/test_server.hpp"

namespace latchkey::redis {

class TestSentinel {
 public:
  explicit TestSentinel(const TestServer& primary, const TestCertificate* certificate = nullptr)
      : certificate_(certificate), server_({}, certificate, file_for(primary.port())) {}

  /// "redis-sentinel://…/main", or with TLS; `user` is "name:password@" at the primary.
  std::string url(const std::string& user = "", const std::string& primary = "main") const {
    const std::string place = user + hosts() + "/" + primary;
    return certificate_ == nullptr ? "redis-sentinel://" + place
                                   : "rediss-sentinel://" + place + "?ca=" + certificate_->file();
  }
  std::string hosts() const { return "127.0.0.1:" + std::to_string(server_.port()); }
  TestServer& server() { return server_; }

  /// Says from now on that this one is the primary.
  void name(const TestServer& primary) const {
    server_.run({"SENTINEL", "REMOVE", "main"});
    server_.run({"SENTINEL", "MONITOR", "main", "127.0.0.1", std::to_string(primary.port()), "1"});
  }

 private:
  std::string file_for(std::uint16_t port) const {
    const std::string path = (directory_ / "sentinel.conf").string();
    std::ofstream(path) << "sentinel monitor main 127.0.0.1 " << port << " 1\n"
                        << "sentinel down-after-milliseconds main 500\n"
                        << "sentinel failover-timeout main 3000\n";
    return path;
  }

  TemporaryDirectory directory_;
  const TestCertificate* const certificate_;
  TestServer server_;
};

}  // namespace latchkey::redis

#pragma once

// For tests: a certificate of a redis-server, and how the server is told of it.

#include <string>
#include <vector>

#include "base/testing/test_certificate.hpp"

namespace latchkey::redis {

class TestCertificate : public latchkey::TestCertificate {
 public:
  /// `names` as OpenSSL writes a subjectAltName.
  explicit TestCertificate(const std::string& names = "DNS:localhost,IP:127.0.0.1")
      : latchkey::TestCertificate("a test", names), name_(names.substr(4, names.find(',') - 4)) {}

  /// The first, which is a DNS name.
  const std::string& name() const { return name_; }

  /// Of redis-server. Clients need no certificate unless "--tls-auth-clients yes" follows.
  std::vector<std::string> server_arguments() const {
    return {"--port",
            "0",
            "--tls-cert-file",
            file(),
            "--tls-key-file",
            key(),
            "--tls-ca-cert-file",
            file(),
            "--tls-auth-clients",
            "no",
            "--tls-replication",
            "yes"};
  }

 private:
  const std::string name_;
};

}  // namespace latchkey::redis

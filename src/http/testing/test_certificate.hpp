#pragma once

// A self-signed certificate and its key as the files of a server, for tests.

#include <string>

#include "base/testing/test_certificate.hpp"
#include "http/tls_credentials.hpp"

namespace latchkey::http {

class TestCertificate : public latchkey::TestCertificate {
 public:
  explicit TestCertificate(const std::string& common_name = "localhost") : latchkey::TestCertificate(common_name) {}

  TlsFiles files() const { return {file(), key()}; }
};

}  // namespace latchkey::http

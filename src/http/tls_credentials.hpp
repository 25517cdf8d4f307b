#pragma once

// What a server proves its identity with: a certificate chain and its private key, both PEM files.

#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/mutex.hpp"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace latchkey::http {

struct TlsFiles {
  std::string certificate;  // the server's own first, then the intermediate ones
  std::string key;          // without a password
};

/// TLS 1.2 and 1.3, HTTP/1.1 by ALPN. Any thread may call any method.
class TlsCredentials {
 public:
  /// ErrorCode::invalid, with a text for the operator, for files that cannot be read or do not belong together.
  static Result<std::shared_ptr<TlsCredentials>> load(TlsFiles files);

  /// Reads the files again, for connections accepted from now on. An error changes nothing.
  Result<void> reload();
  /// For one new connection; it outlives a reload.
  std::shared_ptr<ssl_ctx_st> context() const;

 private:
  TlsCredentials(TlsFiles files, std::shared_ptr<ssl_ctx_st> context)
      : files_(std::move(files)), context_(std::move(context)) {}

  const TlsFiles files_;
  mutable Mutex mutex_;
  std::shared_ptr<ssl_ctx_st> context_ GUARDED_BY(mutex_);
};

}  // namespace latchkey::http

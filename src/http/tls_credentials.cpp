#include "http/tls_credentials.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "base/regular_file.hpp"

namespace latchkey::http {
namespace {

// RFC 7301: the one protocol we speak. A client that offers others only is refused with an alert.
int select_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  static constexpr unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(&found, chosen_size, ours, sizeof ours, offered, offered_size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// A key with a password is refused instead of asking at a terminal that may not be there.
int no_password(char*, int, int, void*) { return 0; }

Error refused(std::string_view what, const std::string& file) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return Error(ErrorCode::invalid, fmt::format("{} {}: {}", what, file, reason == nullptr ? "unusable" : reason));
}

Result<std::shared_ptr<SSL_CTX>> make_context(const TlsFiles& files) {
  for (const auto& file : {files.certificate, files.key}) {
    if (const auto usable = check_regular(file, Links::follow); !usable) return usable.error();
  }
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (context == nullptr) return Error(ErrorCode::internal, "OpenSSL cannot start");
  SSL_CTX* const c = context.get();
  SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);          // an idle connection keeps no 34 KiB
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);  // tickets resume without one
  SSL_CTX_set_alpn_select_cb(c, &select_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(c, &no_password);
  if (SSL_CTX_use_certificate_chain_file(c, files.certificate.c_str()) != 1) {
    return refused("certificate", files.certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(c, files.key.c_str(), SSL_FILETYPE_PEM) != 1) return refused("key", files.key);
  if (SSL_CTX_check_private_key(c) != 1) return refused("key does not belong to the certificate:", files.key);
  return context;
}

}  // namespace

Result<std::shared_ptr<TlsCredentials>> TlsCredentials::load(TlsFiles files) {
  auto context = make_context(files);
  if (!context) return context.error();
  return std::shared_ptr<TlsCredentials>(new TlsCredentials(std::move(files), std::move(*context)));
}

Result<void> TlsCredentials::reload() {
  auto context = make_context(files_);
  if (!context) return context.error();
  const std::lock_guard lock(mutex_);
  context_.swap(*context);
  return {};
}

std::shared_ptr<ssl_ctx_st> TlsCredentials::context() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

}  // namespace latchkey::http

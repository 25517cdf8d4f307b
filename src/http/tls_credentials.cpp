#include "http/tls_credentials.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

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
int no_password(char*, int, int, void* asked) {
  if (asked != nullptr) *static_cast<bool*>(asked) = true;
  return -1;
}

/// Empty: not known to us.
std::string plain_words(unsigned long error, std::string_view what) {
  const int library = ERR_GET_LIB(error);
  const int reason = ERR_GET_REASON(error);
  if (reason == ERR_R_UNSUPPORTED || (library == ERR_LIB_PEM && reason == PEM_R_NO_START_LINE)) {
    return fmt::format("there is no {} in PEM form in it", what);
  }
  if (library == ERR_LIB_X509 && reason == X509_R_KEY_VALUES_MISMATCH) return "it does not belong to the certificate";
  return {};
}

/// The first error is the cause, what follows tells where it was met; some causes come second.
Error refused(std::string_view what, const std::string& file) {
  std::string words, first;
  for (auto error = ERR_get_error(); error != 0; error = ERR_get_error()) {
    const char* const reason = ERR_reason_error_string(error);
    if (first.empty() && reason != nullptr) first = reason;
    if (words.empty()) words = plain_words(error, what);
  }
  if (words.empty()) words = first.empty() ? "it cannot be used" : first;
  return Error::invalid(std::string(what), fmt::format("{}: {}", file, words));
}

Result<void> check_readable(std::string_view what, const std::string& file) {
  if (const auto opened = open_regular(file, O_RDONLY, Links::follow); !opened) {
    return Error::invalid(std::string(what), opened.error().detail);
  }
  return {};
}

Result<void> use_key(SSL_CTX* context, const std::string& file) {
  bool has_password = false;
  SSL_CTX_set_default_passwd_cb(context, &no_password);
  SSL_CTX_set_default_passwd_cb_userdata(context, &has_password);
  const bool used = SSL_CTX_use_PrivateKey_file(context, file.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  if (has_password) {
    return Error::invalid("private key", file + ": it has a password; store it without one: openssl pkey -in FILE");
  }
  if (!used || SSL_CTX_check_private_key(context) != 1) return refused("private key", file);
  return {};
}

Result<std::shared_ptr<SSL_CTX>> make_context(const TlsFiles& files) {
  if (const auto readable = check_readable("certificate", files.certificate); !readable) return readable.error();
  if (const auto readable = check_readable("private key", files.key); !readable) return readable.error();
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (context == nullptr) return Error(ErrorCode::internal, "OpenSSL cannot start");
  SSL_CTX* const c = context.get();
  SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);          // an idle connection keeps no 34 KiB
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);  // tickets resume without one
  SSL_CTX_set_alpn_select_cb(c, &select_protocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(c, files.certificate.c_str()) != 1) {
    return refused("certificate", files.certificate);
  }
  if (const auto used = use_key(c, files.key); !used) return used.error();
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
  const MutexLock lock(mutex_);
  context_.swap(*context);
  return {};
}

std::shared_ptr<ssl_ctx_st> TlsCredentials::context() const {
  const MutexLock lock(mutex_);
  return context_;
}

}  // namespace latchkey::http

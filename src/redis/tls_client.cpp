#include "redis/tls_client.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/regular_file.hpp"
#include "redis/waiting.hpp"

namespace latchkey::redis {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, FreeContext>;

int no_password(char*, int, int, void*) { return 0; }

Error unusable(std::string why) {
  std::string internal = "TLS: " + why;
  return Error(ErrorCode::invalid, std::move(why), std::move(internal));
}

/// OpenSSL opens by name, and would wait for the other end of a FIFO.
Result<void> check_readable(const std::string& file) {
  if (const auto opened = open_regular(file, O_RDONLY, Links::follow); !opened) return unusable(opened.error().detail);
  return {};
}

Result<void> take_authorities(SSL_CTX& context, const std::string& file) {
  if (file.empty()) {
    SSL_CTX_set_default_verify_paths(&context);
    return {};
  }
  if (auto readable = check_readable(file); !readable) return readable;
  if (SSL_CTX_load_verify_file(&context, file.c_str()) != 1)
    return unusable(file + ": no certificate in PEM form in it");
  return {};
}

Result<void> take_certificate(SSL_CTX& context, const Tls& tls) {
  if (tls.certificate.empty()) return {};
  for (const std::string& file : {tls.certificate, tls.key}) {
    if (auto readable = check_readable(file); !readable) return readable;
  }
  if (SSL_CTX_use_certificate_chain_file(&context, tls.certificate.c_str()) != 1) {
    return unusable(tls.certificate + ": no certificate in PEM form in it");
  }
  if (SSL_CTX_use_PrivateKey_file(&context, tls.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return unusable(tls.key + ": no private key in PEM form, without a password, that belongs to the certificate");
  }
  return {};
}

/// Made for each connection: files that were exchanged are used from the next one on.
Result<ContextPtr> context_of(const Tls& tls) {
  ERR_clear_error();
  ContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (!context) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_default_passwd_cb(context.get(), no_password);
  SSL_CTX_clear_mode(context.get(), SSL_MODE_AUTO_RETRY);
  if (auto taken = take_authorities(*context, tls.authorities); !taken) return taken.error();
  if (auto taken = take_certificate(*context, tls); !taken) return taken.error();
  return context;
}

/// An address is looked for among the certificate's addresses, and is no name for SNI (RFC 6066, 3).
void expect_name(SSL& ssl, const std::string& name) {
  X509_VERIFY_PARAM* wanted = SSL_get0_param(&ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) == 1) return;
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  std::string sent = name;
  if (SSL_set1_host(&ssl, name.c_str()) != 1 ||
      SSL_ctrl(&ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, sent.data()) != 1) {
    throw std::bad_alloc();
  }
}

Error tls_failed(const std::string& why) { return unreachable("TLS: " + why); }

/// OpenSSL's word for what the peer or the library refused, with what to do where that is known.
std::string explained(unsigned long error) {
  switch (ERR_GET_REASON(error)) {
    case SSL_R_WRONG_VERSION_NUMBER:
      return "the server does not speak TLS at this port; Redis does at its tls-port";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "the server wants a client certificate that it trusts: ?cert=FILE&key=FILE, or tls-auth-clients no in "
             "Redis";
    default:
      break;
  }
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "the connection was closed";
}

std::string not_verified(long why, const std::string& name) {
  if (why == X509_V_ERR_HOSTNAME_MISMATCH || why == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return fmt::format("the server's certificate is not made out to {}; ?name=NAME says which name it has", name);
  }
  return fmt::format("the server's certificate is not trusted ({}); ?ca=FILE names its authority",
                     X509_verify_cert_error_string(why));
}

}  // namespace

Result<void> check_tls_files(const Tls& tls) {
  const auto context = context_of(tls);
  if (!context) return context.error();
  return {};
}

void TlsClient::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }

Result<std::unique_ptr<TlsClient>> TlsClient::connect(int socket, const Tls& tls, const std::string& host,
                                                      milliseconds within) {
  const auto until = steady_clock::now() + within;
  const auto context = context_of(tls);
  if (!context) return unreachable(context.error().internal);
  std::unique_ptr<ssl_st, Free> ssl(SSL_new(context->get()));
  if (!ssl || SSL_set_fd(ssl.get(), socket) != 1) throw std::bad_alloc();
  const std::string& name = tls.name.empty() ? host : tls.name;
  expect_name(*ssl, name);
  std::unique_ptr<TlsClient> client(new TlsClient(socket, std::move(ssl), name));
  for (;;) {
    ERR_clear_error();
    const int done = SSL_connect(client->ssl_.get());
    if (done == 1) return client;
    const auto ready = client->wait_for_need(done, until);
    if (!ready) return ready.error();
    if (!*ready) {
      client->failed_ = true;
      return tls_failed(
          fmt::format("no handshake within {} ms; Redis speaks TLS at its tls-port alone", within.count()));
    }
  }
}

TlsClient::~TlsClient() {
  ERR_clear_error();
  if (!failed_) SSL_shutdown(ssl_.get());
}

Result<void> TlsClient::write(std::string_view octets, milliseconds within) {
  const auto until = steady_clock::now() + within;
  while (!octets.empty()) {
    ERR_clear_error();
    std::size_t written = 0;
    const int done = SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &written);
    if (done == 1) {
      octets.remove_prefix(written);
      continue;
    }
    const auto ready = wait_for_need(done, until);
    if (!ready) return ready.error();
    if (!*ready) return tls_failed(fmt::format("nothing was taken within {} ms", within.count()));
  }
  return {};
}

Result<std::size_t> TlsClient::read(std::span<char> room, milliseconds within) {
  const auto until = steady_clock::now() + within;
  for (;;) {
    ERR_clear_error();
    std::size_t came = 0;
    const int done = SSL_read_ex(ssl_.get(), room.data(), room.size(), &came);
    if (done == 1) return came;
    const auto ready = wait_for_need(done, until);
    if (!ready) return ready.error();
    if (!*ready) return std::size_t{0};
  }
}

Result<bool> TlsClient::wait_for_need(int returned, Time until) {
  const int kind = SSL_get_error(ssl_.get(), returned);
  if (kind == SSL_ERROR_WANT_READ) return is_ready(socket_, POLLIN, until);
  if (kind == SSL_ERROR_WANT_WRITE) return is_ready(socket_, POLLOUT, until);
  return failure(kind);
}

Error TlsClient::failure(int kind) {
  failed_ = true;
  if (kind == SSL_ERROR_ZERO_RETURN) return tls_failed("the server closed the connection");
  if (const long why = SSL_get_verify_result(ssl_.get()); why != X509_V_OK) return tls_failed(not_verified(why, name_));
  const unsigned long error = ERR_peek_last_error();
  if (error == 0) return tls_failed("the server closed the connection");
  return tls_failed(explained(error));
}

}  // namespace latchkey::redis

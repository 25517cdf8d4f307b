#include "http/tls_session.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <new>

namespace latchkey::http {

void TlsSession::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TlsSession::TlsSession(ssl_ctx_st& context) : ssl_(SSL_new(&context)) {
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  if (ssl_ == nullptr || in == nullptr || out == nullptr) {
    BIO_free(in);
    BIO_free(out);
    throw std::bad_alloc();
  }
  BIO_set_mem_eof_return(in, -1);  // empty means "later", not the end
  SSL_set_bio(ssl_.get(), in, out);
  SSL_set_accept_state(ssl_.get());
}

TlsSession::~TlsSession() = default;

TlsSession::Status TlsSession::receive(std::string_view octets, InputBuffer& plain) {
  ERR_clear_error();
  BIO_write(SSL_get_rbio(ssl_.get()), octets.data(), static_cast<int>(octets.size()));
  for (;;) {
    const auto room = plain.prepare();
    std::size_t n = 0;
    if (SSL_read_ex(ssl_.get(), room.data(), room.size(), &n) == 1) {
      plain.commit(n);
      continue;
    }
    switch (SSL_get_error(ssl_.get(), 0)) {
      case SSL_ERROR_WANT_READ:
        return Status::open;
      case SSL_ERROR_ZERO_RETURN:
        return Status::ended;
      default:
        return ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST ? Status::plain_http : Status::failed;
    }
  }
}

bool TlsSession::established() const { return SSL_is_init_finished(ssl_.get()) == 1; }

void TlsSession::seal(std::string& text) {
  if (!text.empty() && established()) {
    ERR_clear_error();
    std::size_t n = 0;
    SSL_write_ex(ssl_.get(), text.data(), text.size(), &n);  // into memory: all of it
  }
  text.clear();
  take_outgoing(text);
}

void TlsSession::finish(std::string& sealed) {
  if ((SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) != 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  take_outgoing(sealed);
}

void TlsSession::take_outgoing(std::string& into) {
  BIO* out = SSL_get_wbio(ssl_.get());
  char* octets = nullptr;
  const long size = BIO_get_mem_data(out, &octets);
  if (size <= 0) return;
  into.append(octets, static_cast<std::size_t>(size));
  BIO_reset(out);
}

}  // namespace latchkey::http

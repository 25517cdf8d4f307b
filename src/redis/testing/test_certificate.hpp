#pragma once

// For tests: a self-signed certificate, which is its own authority, and its key.

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/testing/temporary_directory.hpp"

namespace latchkey::redis {

/// Files that are removed at the end.
class TestCertificate {
 public:
  /// `names` as OpenSSL writes a subjectAltName.
  explicit TestCertificate(const std::string& names = "DNS:localhost,IP:127.0.0.1")
      : name_(names.substr(4, names.find(',') - 4)) {
    const std::unique_ptr<EVP_PKEY, Free> key(EVP_EC_gen("P-256"));
    const std::unique_ptr<X509, Free> certificate(X509_new());
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    const unsigned char subject[] = "a test";
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC, subject, -1, -1, 0);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
    const std::unique_ptr<X509_EXTENSION, Free> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str()));
    X509_add_ext(certificate.get(), extension.get(), -1);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    const std::unique_ptr<std::FILE, Free> key_file(std::fopen(this->key().c_str(), "w"));
    PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    const std::unique_ptr<std::FILE, Free> certificate_file(std::fopen(file().c_str(), "w"));
    PEM_write_X509(certificate_file.get(), certificate.get());
  }

  /// The first, which is a DNS name.
  const std::string& name() const { return name_; }
  std::string file() const { return (directory_ / "certificate.pem").string(); }
  std::string key() const { return (directory_ / "key.pem").string(); }

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
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::string name_;
  TemporaryDirectory directory_;
};

}  // namespace latchkey::redis

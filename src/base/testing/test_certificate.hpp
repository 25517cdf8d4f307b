#pragma once

// For tests: a self-signed certificate, which is its own authority, and its key, as files.

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>

#include "base/testing/temporary_directory.hpp"

namespace latchkey {

/// The files are removed at the end.
class TestCertificate {
 public:
  /// `names` as OpenSSL writes a subjectAltName, "DNS:localhost,IP:127.0.0.1"; empty: it has none.
  explicit TestCertificate(const std::string& common_name, const std::string& names = "") { write(common_name, names); }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  std::string file() const { return (directory_ / "certificate.pem").string(); }
  std::string key() const { return (directory_ / "key.pem").string(); }

  /// Another key and certificate in the same files.
  void write(const std::string& common_name, const std::string& names = "") const {
    const std::unique_ptr<EVP_PKEY, Free> key(EVP_EC_gen("P-256"));
    const std::unique_ptr<X509, Free> certificate(X509_new());
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(common_name.c_str()),
                               -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    if (!names.empty()) {
      const std::unique_ptr<X509_EXTENSION, Free> extension(
          X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str()));
      X509_add_ext(certificate.get(), extension.get(), -1);
    }
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    const std::unique_ptr<std::FILE, Free> key_file(std::fopen(this->key().c_str(), "w"));
    PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    const std::unique_ptr<std::FILE, Free> certificate_file(std::fopen(file().c_str(), "w"));
    PEM_write_X509(certificate_file.get(), certificate.get());
  }

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  TemporaryDirectory directory_;
};

}  // namespace latchkey

#pragma once

// Owners for OpenSSL's objects.

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <memory>

namespace latchkey::jwt {

template <auto free>
struct OpensslFree {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};

template <class T, auto free>
using OpensslPtr = std::unique_ptr<T, OpensslFree<free>>;

using BioPtr = OpensslPtr<BIO, &BIO_free>;
using BignumPtr = OpensslPtr<BIGNUM, &BN_free>;
using EcdsaSigPtr = OpensslPtr<ECDSA_SIG, &ECDSA_SIG_free>;
using MdCtxPtr = OpensslPtr<EVP_MD_CTX, &EVP_MD_CTX_free>;
using ParamBuilderPtr = OpensslPtr<OSSL_PARAM_BLD, &OSSL_PARAM_BLD_free>;
using ParamsPtr = OpensslPtr<OSSL_PARAM, &OSSL_PARAM_free>;
using Pkcs8Ptr = OpensslPtr<PKCS8_PRIV_KEY_INFO, &PKCS8_PRIV_KEY_INFO_free>;
using PkeyCtxPtr = OpensslPtr<EVP_PKEY_CTX, &EVP_PKEY_CTX_free>;
using PkeyPtr = OpensslPtr<EVP_PKEY, &EVP_PKEY_free>;

}  // namespace latchkey::jwt

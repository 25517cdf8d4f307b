#pragma once

#include <string>

#include "base/error.hpp"

namespace latchkey::http_client {

/// The public key of the first certificate in a PEM file, as libcurl pins it: "sha256//" and the base64 of its
/// SubjectPublicKeyInfo's digest (RFC 7469, 2.4). ErrorCode::invalid for anything else.
Result<std::string> pinned_key(const std::string& certificate_file);

}  // namespace latchkey::http_client

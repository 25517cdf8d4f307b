#pragma once

#include <cstdint>
#include <string_view>

#include "http/message.hpp"

namespace latchkey::service {

enum class MediaType : std::uint8_t { none, json, merge_patch, other };

/// By Content-Type (RFC 9110, 8.3.1); none: no such header. A charset other than UTF-8 is `other`.
MediaType media_type_of(const http::Request& request);

/// Whether the body may be read as JSON, a merge patch included. An absent body needs no Content-Type.
bool is_json(MediaType type, std::string_view body);

/// Whether Accept names `media_type` itself, with a weight other than 0.
bool accepts(const http::Request& request, std::string_view media_type);

}  // namespace latchkey::service

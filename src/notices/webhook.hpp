#pragma once

// A notice as a webhook: POST with JSON, signed as Standard Webhooks 1.0 say (https://www.standardwebhooks.com).
//
//   webhook-id: notice-42            the same for each attempt, so that a receiver can tell a repetition
//   webhook-timestamp: 1767225600    when it was sent, in seconds
//   webhook-signature: v1,<base64 of HMAC-SHA-256 of "<id>.<timestamp>.<body>">
//
//   {"type":"key.expired","timestamp":"2026-01-31T00:00:00.000Z","data":{"noticeId":42,"keyId":"…","userId":"alice"}}

#include <string>
#include <vector>

#include "base/json_writer.hpp"
#include "base/secret.hpp"
#include "key/notice.hpp"

namespace latchkey::notices {

struct NoticeTarget {
  std::string url;
  Secret key;                  // the octets that "whsec_…" stands for
  bool allow_private = false;  // loopback, private and link-local addresses too
};

/// "whsec_" and base64 of 24 to 64 octets. ErrorCode::invalid for anything else.
Result<Secret> parse_webhook_secret(std::string_view text);

/// "noticeId","keyId","userId" and, of an expiry, "expiresAt"; into an object that is open.
void write_data(JsonWriter& out, const Notice& notice);

std::string webhook_body(const Notice& notice);
/// The three headers, "name: value".
std::vector<std::string> webhook_headers(const Notice& notice, std::string_view body, const Secret& key,
                                         UnixMillis sent);

/// Sends it and reads at most 4 KiB of the answer: delivered where that is 2xx within 10 s. Connects to an address that
/// was checked only; no redirects, no proxy of the environment. The error says why it was not delivered.
Result<void> deliver(const NoticeTarget& target, const Notice& notice, UnixMillis now);

}  // namespace latchkey::notices

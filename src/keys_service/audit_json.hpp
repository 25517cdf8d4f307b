#pragma once

// Entries of the audit trail as the API shows them.

#include <string>

#include "base/json_writer.hpp"
#include "store/audit.hpp"

namespace latchkey::keys_service {

/// As of a change (key_json.hpp), and with it, where there is something to say: "changed", the members of the row that
/// changed, each {"before","after"}; "reason"; "remoteAddress" and "userAgent" of the command; "databaseRole" and
/// "application" of an edit by hand.
///
///   {"position":"….7","at":"…","actor":"ops","action":"update","key":{…},
///    "changed":{"requestsPerMinute":{"before":60,"after":5}},"reason":"abuse","remoteAddress":"192.0.2.1"}
void write(JsonWriter& out, const store::AuditEntry& entry, Epoch epoch);

}  // namespace latchkey::keys_service

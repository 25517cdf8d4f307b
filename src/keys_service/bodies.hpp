#pragma once

// Request bodies, as commands. Pure: text in, command or all that is wrong with it out (ErrorCode::invalid).
// `now` is for naming an expiry in the past among the other errors; one that is the only error is left to the command,
// so that a repeated request still gets its first answer after its expiry has passed.

#include <string_view>

#include "commands/create_key.hpp"
#include "commands/rotate_key.hpp"
#include "commands/rotate_signing_key.hpp"
#include "commands/update_key.hpp"

namespace latchkey::keys_service {

/// {userId, requestsPerMinute? | limits?, plan?, scopes?, networks?, labels?, expiresAt? | expiresIn?, name?, metadata?};
/// expiresAt null: never.
/// Whether a limit is in force at all is for the command to say, which knows plan and user.
Result<commands::CreateKey> parse_create_body(std::string_view body, UnixMillis now);

/// Any of {requestsPerMinute | limits, plan, scopes, networks, labels, expiresAt | expiresIn, disabled, name, metadata}.
/// As a merge patch (RFC 7396), name null and metadata null clear, and metadata and labels are merged; as plain JSON,
/// they are replaced.
Result<commands::UpdateKey> parse_update_body(std::string_view body, commands::Metadata mode, UnixMillis now);

/// {gracePeriod?}, or nothing at all.
Result<commands::RotateKey> parse_rotate_body(std::string_view body);

/// {retirePrevious?}, or nothing at all.
Result<commands::EarlierKeys> parse_signing_key_rotation_body(std::string_view body);

/// {}, or nothing at all.
Result<void> parse_empty_body(std::string_view body);

}  // namespace latchkey::keys_service

#pragma once

// What several routes answer alike.

#include "commands/issue.hpp"
#include "http/message.hpp"
#include "keys_service/routes.hpp"

namespace latchkey::keys_service {

/// JSON that no cache may keep.
http::Response private_json(int status, std::string body);

/// The author of this call's admin, now.
commands::Author author_of(const RouteContext& context, const Call& call);

/// A command's answer: the key with its ETag.
http::Response key_answer(const commands::KeyAnswer& answer, UnixMillis now);

/// The one answer that shows a token: {"accessKey","key"}. Depends on the change alone, so that a repetition is the
/// same byte for byte.
enum class Location : std::uint8_t { absent, present };
http::Response issued_answer(const commands::KeyRing& ring, const commands::Issued& issued, int status,
                             Location location);

/// Continues on a worker, off the store's thread; here and now where the workers' queue is full, since the command has
/// been done.
void continue_on(WorkerPool& pool, std::move_only_function<void()> work);

}  // namespace latchkey::keys_service

#pragma once

// What several routes answer alike.

#include <functional>

#include "base/json_writer.hpp"
#include "commands/issue.hpp"
#include "http/message.hpp"
#include "keys_service/call.hpp"

namespace latchkey::keys_service {

/// JSON that no cache may keep.
http::Response private_json(int status, std::string body);

/// The author of this call's admin, now.
/// From where the request came, and the `reason` that its body may have.
store::AuditNote note_of(const RouteContext& context, const Call& call);
commands::Author author_of(const RouteContext& context, const Call& call);

/// What a mutation answers once it is committed. The body is made last, so that what became of a wait can stand in it.
struct CommittedAnswer {
  http::Response head;                                   // whole, body included, where it is an error
  std::move_only_function<void(JsonWriter&)> members{};  // writes those of the body's object; null: no body
};

/// The head of an answer in JSON that no cache may keep.
http::Response private_head(int status);

/// A command's answer: the key with its ETag.
CommittedAnswer key_answer(commands::KeyAnswer answer, UnixMillis now);

/// The one answer that shows a token: {"accessKey","key"}. Depends on the change alone, so that a repetition is the
/// same byte for byte, but for what is in force by then. The key stands behind the prefix, if there is one.
enum class Location : std::uint8_t { absent, present };
CommittedAnswer issued_answer(const Parts& parts, commands::Issued issued, int status, Location location);

/// Continues on a worker, off the store's thread; here and now where the workers' queue is full, since the command has
/// been done.
void continue_on(WorkerPool& pool, std::move_only_function<void()> work);

}  // namespace latchkey::keys_service

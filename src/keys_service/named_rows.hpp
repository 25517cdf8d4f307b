#pragma once

// What the routes of plans and users have in common.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "commands/named_change.hpp"
#include "commands/update_key.hpp"
#include "keys_service/answers.hpp"
#include "keys_service/enforcement.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/request_parts.hpp"
#include "keys_service/terms_json.hpp"
#include "service/query_reader.hpp"

namespace latchkey::keys_service {

/// What a mutation asks for besides its body.
struct Asked {
  commands::Author author;
  std::optional<commands::IdempotencyKey> idempotency;
  commands::Metadata metadata = commands::Metadata::replace;  // merge for a merge patch
  std::optional<EnforcementWait> wait;
};
/// Reads the rest of the query; what else it has is an error, as in wait_of().
Result<Asked, http::Response> asked_of(RouteContext& context, const Call& call, service::QueryReader& query);

/// From If-Match and If-None-Match.
commands::PutCondition put_condition_of(const http::Request& request);

/// ?limit= and ?cursor=; reads the rest of the query.
Result<store::NamePageRequest> name_page_of(service::QueryReader& query);
std::string cursor_after_name(std::string_view name);

/// One row with its ETag; 304 where the client has this version.
http::Response shown_row(RouteContext& context, const http::Request& request, Version version,
                         const std::function<void(JsonWriter&, Epoch)>& members);

/// Answers once the change is committed, and enforced where that was asked for.
template <class Row>
commands::NamedDone<Row> answer_named(RouteContext& context, std::optional<EnforcementWait> wait, Reply reply,
                                      CommittedAnswer (*answer_of)(commands::NamedAnswer<Row>)) {
  return [&context, wait = std::move(wait), reply = std::move(reply),
          answer_of](Result<commands::NamedAnswer<Row>> answer) mutable {
    if (!answer) return reply.send(to_response(answer.error()));
    const LogEnd commit = answer->commit;
    answer_committed(context, std::move(wait), std::move(reply), commit, answer_of(std::move(*answer)));
  };
}

}  // namespace latchkey::keys_service

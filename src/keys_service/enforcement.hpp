#pragma once

// `?wait=enforced` of a mutation: its answer comes once the change is enforced at every replica, or the time is up.
//
//   wait=enforced [&timeout=10s]      1s to 5m
//
//   Latchkey-Enforcement: confirmed;applied=2;fenced=1;stopped=0;waiting=0;other-epoch=0;outdated=0     (RFC 8941)
//   {…, "enforcement":{"state","waitedMillis","replicas":[{"replicaId","name","outcome"}]}}    where there is a body
//
// Confirmed: the mutation's own status. Otherwise 202: the change stands, and `waiting` counts the replicas that are
// behind.

#include <optional>

#include "keys_service/answers.hpp"
#include "keys_service/reply.hpp"
#include "service/query_reader.hpp"

namespace latchkey::keys_service {

struct EnforcementWait {
  replica::Confirmations::Place place;
  Duration bound;
};

/// nullopt: not asked for. Reads the whole query, since a misspelt wish to wait must not pass for none: 400 for what is
/// not of this route; 503 where too many wait, before anything is changed.
Result<std::optional<EnforcementWait>, http::Response> wait_of(RouteContext& context, const Call& call);
/// The same of a query of which the caller has read its own part.
Result<std::optional<EnforcementWait>, http::Response> wait_of(RouteContext& context, const Call& call,
                                                               service::QueryReader& reader);

/// Answers a mutation that has been committed, now or when its wait is over.
void answer_committed(RouteContext& context, std::optional<EnforcementWait> wait, Reply reply, LogEnd commit,
                      CommittedAnswer answer);

/// The answer with what became of the wait, if there was one.
http::Response with_enforcement(CommittedAnswer answer, const replica::Confirmation* confirmation);

}  // namespace latchkey::keys_service

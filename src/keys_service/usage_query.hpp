#pragma once

// Usage over HTTP: parameters of the query to a question, an answer to JSON.

#include <string>

#include "base/error.hpp"
#include "usage/usage_reader.hpp"

namespace latchkey::keys_service {

/// What may be asked about.
enum class UsageOf : std::uint8_t {
  anyone,   // keyId, userId, plan, groupBy and top may be given
  one_key,  // a holder's own: from, to and resolution
};

/// ErrorCode::invalid with all that is wrong. Without `to`: now; without `from`: 24 hours before; without `resolution`:
/// the finest that makes no more points than a series may have. `from` and `to` are widened to whole steps.
Result<usage::Query> parse_usage_query(std::string_view query, UsageOf scope, UnixMillis now);

/// {"from","to","resolution","resolutionKept","completeUntil","series","total"}
std::string to_json(const usage::Answer& answer);

}  // namespace latchkey::keys_service

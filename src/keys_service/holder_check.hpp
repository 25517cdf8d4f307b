#pragma once

// The access check where the store itself is at hand: the same order and the same refusals (access/refusal.hpp),
// against the row of this moment. Not counted against the rate limit.

#include <optional>
#include <string_view>
#include <variant>

#include "access/refusal.hpp"
#include "base/clock.hpp"
#include "commands/key_terms.hpp"
#include "key/access_key.hpp"
#include "store/key_store.hpp"

namespace latchkey::keys_service {

/// The holder's row, and which issue of it was presented.
struct HeldKey {
  AccessKey key;
  IssueTime presented;
  commands::KeyTerms terms{};
};

/// A held key, a refusal, or the store's failure.
using HolderOutcome = std::variant<HeldKey, access::Refusal, Error>;
HolderOutcome check_holder(store::KeyStore& store, std::string_view token, UnixMillis now);

}  // namespace latchkey::keys_service

#pragma once

// What of a request is counted as usage: each request to a counted route, once, by what became of it. Not counted are a
// look at the own plan, what a public rule lets in, and a Latchkey-At-Least that was not reached.

#include <span>
#include <string_view>

#include "access/access_check.hpp"
#include "access/refusal.hpp"
#include "tokens_service/call.hpp"
#include "tokens_service/parts.hpp"

namespace latchkey::tokens_service {

/// By usage::Use::outcome: admitted, would-limit, then every refusal by its name.
std::span<const std::string_view> usage_outcomes();

class UsageNotes {
 public:
  /// `parts` outlive it; without a recorder nothing is counted.
  explicit UsageNotes(const Parts& parts) : parts_(parts) {}

  void admitted(const Call& call, const access::Holder& holder, std::uint32_t cost) const;
  void would_limit(const Call& call, const access::Holder& holder) const;
  /// `holder`: null where no key was proved.
  void refused(const Call& call, access::Refusal reason, const access::Holder* holder) const;
  /// Any refusal, with its request id, for `latchkey explain`.
  void keep(const Call& call, std::string_view id, std::string_view reason, const access::Holder* holder,
            std::span<const std::string_view> limits) const;

 private:
  const Parts& parts_;
};

}  // namespace latchkey::tokens_service

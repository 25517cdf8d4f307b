#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/boot_id.hpp"
#include "base/error.hpp"
#include "limit/local/ledger_file.hpp"
#include "limit/local/ledger_format.hpp"

namespace latchkey::limit {

/// The memory of long windows and periods, as it was found.
struct LongTerm {
  std::unique_ptr<LedgerStorage> ledger;  // null: there is none, and counts end with the process
  LedgerContent content;
  std::uint64_t boot = 0;
  bool own_thread = true;  // false: the owner of the limiter calls its step()

  /// An Error where it is there and cannot be read: to begin anew would be to forget what was admitted.
  static Result<LongTerm> open(std::unique_ptr<LedgerStorage> ledger, const BootId& boot) {
    const auto octets = ledger->read();
    if (!octets) return octets.error();
    return LongTerm{std::move(ledger), read_ledger(*octets), number_of(boot)};
  }
  std::optional<LedgerMark> mark() const { return content.has_mark ? std::optional(content.mark) : std::nullopt; }
};

}  // namespace latchkey::limit

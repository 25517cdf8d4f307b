#pragma once

// The audit trail as a chain: an entry that is changed or removed breaks it from there on.
//
//   personal(n) = SHA-256(salt(n) ‖ personal members)
//   hash(n)     = SHA-256(hash(n-1) ‖ seq ‖ nonce ‖ public members ‖ personal(n))
//
// Personal are: the actor; of a key its user id, name and metadata; of a user its id and metadata; all that AuditNote
// has. The salt is 16 random octets a row: without it no trying finds out the user of a row. So a row can be
// erased: its personal members are replaced, its salt is dropped, personal(n) stays, and the chain holds. Example: after
// the erasure of alice, `latchkey store verify` says of her rows that they are erased, and of all others that they are
// as they were written.
//
// The chain begins when a database first has it, behind the changes that were there. A management service adds the links
// of its own changes in their transaction, and those of changes by hand soon after. What stands on record elsewhere, a
// seq and its hash, tells whether all before it is still what it was; without such a record, a person that may write the whole
// database may make another chain.
//
// seq and nonce are 8 octets each, the highest first. Members are a JSON array of texts and numbers in the order of
// chain.cpp: it stays as it is for ever, and chain_test.cpp has the hash of a row of each kind.

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/random.hpp"
#include "key/change.hpp"
#include "store/audit.hpp"

namespace latchkey::store {

using ChainHash = std::array<std::uint8_t, 32>;
using ChainSalt = std::array<std::uint8_t, 16>;

struct ChainLink {
  Seq seq;
  std::optional<ChainSalt> salt;  // none: the row is erased; of the first link, that there is none
  ChainHash personal{};
  ChainHash hash{};
};

/// Of the change after `previous`.
ChainLink make_link(const ChainHash& previous, const Change& change, const AuditNote& note, Random& random);

struct BrokenLink {
  Seq seq;
  std::string why;
};

struct ChainReport {
  Seq begins_after;                    // the last change that is not in the chain
  Seq end;                             // the last that is
  ChainHash head{};                    // its hash
  std::uint64_t whole = 0;             // links that are as they were made
  std::uint64_t erased = 0;            // with personal members that nobody can tell any more
  std::uint64_t unlinked = 0;          // changes after `end`: the next command of a management service links them
  std::optional<BrokenLink> broken{};  // the first; nothing after it was looked at
};

struct VerifiedChain {
  ChainReport report;
  Epoch epoch;
};

/// Goes along a chain. One thread.
class ChainWalk {
 public:
  /// The links in their order, the first (of no change) included, each with the change and note of its seq; null: there
  /// is no such change. False: broken, and nothing more is looked at.
  bool step(const ChainLink& link, const Change* change, const AuditNote& note);
  void unlinked(std::uint64_t changes) { report_.unlinked = changes; }
  const ChainReport& report() const { return report_; }

 private:
  bool broken(Seq seq, std::string why);

  ChainReport report_;
  bool begun_ = false;
};

/// "12 changes are as they were written, from …, …": for people; the hash of the head with it.
std::string to_text(const ChainReport& report, Epoch epoch);

std::string hex_of(const ChainHash& hash);

}  // namespace latchkey::store

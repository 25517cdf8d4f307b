#pragma once

// What a replica hands over every few seconds: counts and refusals since the batch before.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "usage/use.hpp"

namespace latchkey::usage {

/// One key's requests of one outcome within one minute.
struct Row {
  KeyId key;  // all zero: no key was proved
  std::string user_id;
  std::string plan;  // empty: none
  std::string outcome;
  std::int64_t minute = 0;  // since 1970
  std::uint64_t count = 0;
  std::uint64_t cost = 0;
  std::optional<UnixMillis> last_use{};  // set once a key: of its latest admitted request
  AddressPrefix address{};               // of that
};

/// A writer is one life of one replica's process. Its batches count 1, 2, 3, …; a store takes each once, and none after a
/// later one.
struct Batch {
  std::string writer;  // 32 hex digits
  std::uint64_t seq = 0;
  UnixMillis covered_until{};  // every request that was decided before is in this batch or an earlier one
  bool ended = false;          // the writer's last
  std::vector<Row> rows{};
  std::vector<Refusal> refusals{};
};

/// A batch as it travels: the lists are JSON already, which all stores read.
struct PackedBatch {
  std::string writer;
  std::uint64_t seq = 0;
  UnixMillis covered_until{};
  bool ended = false;
  std::size_t row_count = 0;
  std::size_t refusal_count = 0;
  /// [{"k":key id or "","u":user,"p":plan,"o":outcome,"m":minute,"n":count,"c":cost,"t":ms or null,"a":network or null}]
  std::string rows = "[]";
  /// [{"i":id,"t":ms,"k":key id or "","r":reason,"l":limit,"u":rule,"p":position,"n":network,"s":0 or 1}]
  std::string refusals = "[]";
};

PackedBatch pack(const Batch& batch);

}  // namespace latchkey::usage

#pragma once

// Batches on their way through Redis, from replicas that need Redis only to a relay, which puts them into the store.
// Redis holds none of it for good: all may be lost at any moment.
//
//   latchkey:{feed}:usage               stream, one entry a batch; 500 at most, and gone once it is in the store
//       w <writer> n <seq> c <covered until, ms> e <1: its last> x <rows> y <refusals> r <rows, JSON> f <refusals, JSON>
//   latchkey:{feed}:usage-taken:<writer>   seq of the writer's latest batch that a relay knows to be in the store; gone a
//                                       day after it was written
//
// A replica has one batch under way: it adds it, waits for the number to reach the batch's, adds it again every three
// seconds, and only then goes on to the next. So what Redis loses comes again, and batches arrive in order. A relay writes
// the number after the store has committed; two relays may both hand the same batch over, which the store takes once.
// Relays may make the number go back: the replica adds the batch again and the number comes again.

#include <optional>
#include <string>
#include <vector>

#include "redis/reply.hpp"
#include "usage/usage_batch.hpp"

namespace latchkey::usage::usage_stream {

inline const std::string batches = "latchkey:{feed}:usage";
inline const std::string taken_prefix = "latchkey:{feed}:usage-taken:";
inline const std::string remedy = "DEL " + batches + ", and it is made anew";

/// The words of an entry, from "w" on.
std::vector<std::string> fields_of(const PackedBatch& batch);
/// Of an entry's fields, as XREAD answers them; nullopt for what is no batch.
std::optional<PackedBatch> batch_of(const std::vector<redis::Reply>& fields);

}  // namespace latchkey::usage::usage_stream

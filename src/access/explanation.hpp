#pragma once

// Why a request was refused, in words: which row or rule decided, as of which position, by which limit and clock.
//
//   Request 9f3a…1f03 of 2026-01-31T12:00:00.000Z was refused: 429 rate-limited.
//   It asked for POST /orders/7, from 192.0.2.9, with access key 0198… of alice, plan pro.
//   A limit was used up: as many requests as it admits had been let in within its window.
//   Decided by: the limit per-minute, which the row of the key, its user or its plan has; as the view had it at 00c0….42.
//   Clock: the replica's, which only goes forward; …
//   …

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/refusal.hpp"
#include "base/error.hpp"
#include "base/json_writer.hpp"

namespace latchkey::access {

/// A refused request as the request log, or the refusals that travel with usage, have it. Texts may be empty: unknown.
struct RefusedRecord {
  std::string id, time, outcome;
  int status = 0;
  std::string key_id, user_id, plan;
  std::string method, path;  // the original ones, where a proxy asked
  std::string client;
  std::uint32_t cost = 1;
  std::string position;
  std::string rule;
  std::vector<std::string> limits;
  std::uint32_t retry_after_seconds = 0;
};

/// What decides a refusal.
struct Ground {
  std::string_view row;     // "the row of the key": decided by
  std::string_view means;   // what was found there
  std::string_view clock;   // by which it was decided; empty: time has no part in it
  std::string_view remedy;  // what to do
};

/// nullptr for what is no reason that a refusal has.
const Ground* find_ground(std::string_view outcome);

/// A line of the request log. nullopt: it is none of a refused request, or not of this form.
std::optional<RefusedRecord> read_refused(std::string_view line);

/// Whole sentences, a line each.
std::string explain(const RefusedRecord& record);
/// The members of the record, then "decidedBy", "clock", "explanation", into an object that is open.
void write_members(JsonWriter& out, const RefusedRecord& record);

}  // namespace latchkey::access

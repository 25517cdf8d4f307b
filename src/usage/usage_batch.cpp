#include "usage/usage_batch.hpp"

#include "base/json_writer.hpp"

namespace latchkey::usage {
namespace {

std::string text_of(const KeyId& key) { return key == KeyId() ? std::string() : key.to_string(); }

void write(JsonWriter& out, const Row& row) {
  const std::string address = row.address.to_string();
  out.begin_object()
      .member("k", text_of(row.key))
      .member("u", row.user_id)
      .member("p", row.plan)
      .member("o", row.outcome)
      .member("m", row.minute)
      .member("n", row.count)
      .member("c", row.cost)
      .member("t", row.last_use ? std::optional(row.last_use->count) : std::nullopt)
      .member("a", address.empty() ? std::optional<std::string>() : std::optional(address))
      .end_object();
}

void write(JsonWriter& out, const Refusal& refusal) {
  out.begin_object()
      .member("i", refusal.id.text())
      .member("t", refusal.time.count)
      .member("k", text_of(refusal.key))
      .member("r", refusal.reason.text())
      .member("l", refusal.limit.text())
      .member("u", refusal.rule.text())
      .member("p", refusal.position.text())
      .member("n", refusal.network.text())
      .member("s", refusal.sampled ? 1 : 0)
      .end_object();
}

template <class List>
std::string list_of(const List& items) {
  JsonWriter out;
  out.begin_array();
  for (const auto& item : items) write(out, item);
  return out.end_array().take();
}

}  // namespace

PackedBatch pack(const Batch& batch) {
  return {.writer = batch.writer,
          .seq = batch.seq,
          .covered_until = batch.covered_until,
          .ended = batch.ended,
          .row_count = batch.rows.size(),
          .refusal_count = batch.refusals.size(),
          .rows = list_of(batch.rows),
          .refusals = list_of(batch.refusals)};
}

}  // namespace latchkey::usage

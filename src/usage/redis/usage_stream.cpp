#include "usage/redis/usage_stream.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace latchkey::usage::usage_stream {
namespace {

constexpr std::array<std::string_view, 8> batch_fields{"w", "n", "c", "e", "x", "y", "r", "f"};
constexpr std::size_t longest_batch_field = std::size_t{32} << 20U;

bool is_batch(const std::vector<redis::Reply>& fields) {
  if (fields.size() < 2 * batch_fields.size()) return false;
  for (std::size_t i = 0; i < batch_fields.size(); ++i) {
    if (fields[2 * i].text != batch_fields[i] || !fields[2 * i + 1].is_string()) return false;
    if (fields[2 * i + 1].text.size() > longest_batch_field) return false;
  }
  return true;
}

bool is_writer(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::vector<std::string> fields_of(const PackedBatch& batch) {
  return {"w", batch.writer,
          "n", std::to_string(batch.seq),
          "c", std::to_string(batch.covered_until.count),
          "e", batch.ended ? "1" : "0",
          "x", std::to_string(batch.row_count),
          "y", std::to_string(batch.refusal_count),
          "r", batch.rows,
          "f", batch.refusals};
}

std::optional<PackedBatch> batch_of(const std::vector<redis::Reply>& fields) {
  if (!is_batch(fields)) return std::nullopt;
  const auto value = [&](std::size_t i) -> const redis::Reply& { return fields[2 * i + 1]; };
  PackedBatch batch;
  batch.writer = value(0).text;
  batch.ended = value(3).text == "1";
  batch.rows = value(6).text;
  batch.refusals = value(7).text;
  const bool good = is_writer(batch.writer) && redis::read_number(value(1), batch.seq) &&
                    redis::read_number(value(2), batch.covered_until.count) &&
                    redis::read_number(value(4), batch.row_count) && redis::read_number(value(5), batch.refusal_count);
  return good ? std::optional(std::move(batch)) : std::nullopt;
}

}  // namespace latchkey::usage::usage_stream

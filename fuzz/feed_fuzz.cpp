// What the read side takes from outside: changes and rows of the Redis stream, and a replica's snapshot file. Whatever
// the bytes, they are refused or read; what was read is written and read again to the same.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <sstream>

#include "feed/record.hpp"
#include "feed/snapshot_file/format.hpp"

using namespace latchkey;
using namespace latchkey::feed;

namespace {

struct Rewriter final : SnapshotSink {
  RowsWriter rows;
  void access_key(const AccessKey& key) override { rows.add(key); }
  void signing_key(const SigningKey& key, Version version) override { rows.add(key, version); }
  void plan(const Plan& plan) override { rows.add(plan); }
  void user(const User& user) override { rows.add(user); }
};

void check(bool holds) {
  if (!holds) std::abort();
}

void fuzz_change(std::string_view bytes) {
  const auto change = decode_change(bytes);
  if (!change) return;
  const auto again = decode_change(encode_change(*change));
  check(again && *again == *change);
}

void fuzz_rows(std::string_view bytes) {
  Rewriter once;
  if (!decode_rows(bytes, once)) return;
  const std::string rows = once.rows.take();
  Rewriter again;
  check(decode_rows(rows, again) && again.rows.take() == rows);
}

/// The checksums are put right, or no input would get past them: pieces of the input become records.
void fuzz_file(std::string_view bytes) {
  std::string text = snapshot_file::header("s", {1});
  while (bytes.size() > 2) {
    const std::size_t size = std::min<std::size_t>(static_cast<unsigned char>(bytes[0]) * 8, bytes.size() - 1);
    const std::string_view piece = bytes.substr(1, size);
    bytes.remove_prefix(1 + size);
    text += snapshot_file::rows_record(piece);
    if (size % 2 == 0) text += snapshot_file::mark_record({{{{1}, size}, 1}, std::string(piece), {1}});
  }
  std::istringstream file(text + std::string(bytes));
  std::string why;
  const auto usable = snapshot_file::examine(file, "s", why);
  Rewriter rows;
  if (usable) {
    check(snapshot_file::hand_over(file, *usable, rows));
  } else {
    check(!why.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      fuzz_change(bytes);
      break;
    case 1:
      fuzz_rows(bytes);
      break;
    case 2:
      fuzz_file(bytes);
      break;
    default: {
      std::istringstream file{std::string(bytes)};
      std::string why;
      static_cast<void>(snapshot_file::examine(file, "s", why));
    }
  }
  return 0;
}

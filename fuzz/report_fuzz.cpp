// What a relay takes from Redis of replicas: the fields of a report, one a line of the input. Whatever they are, they
// are refused or read; what was read is written and read again to the same.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "replica/redis/report_stream.hpp"

using namespace latchkey;

namespace {

std::vector<redis::Reply> replies_of(const std::vector<std::string>& words) {
  std::vector<redis::Reply> replies;
  for (const auto& word : words) replies.push_back({redis::Reply::Kind::string, 0, word, {}});
  return replies;
}

/// The names stand between the values, as in an entry that is one: else no input would get past them.
std::vector<std::string> words_of(std::string_view input) {
  std::vector<std::string> words;
  for (const char name : std::string_view("inpaxvmsrt")) {
    const auto end = input.find('\n');
    words.emplace_back(1, name);
    words.emplace_back(input.substr(0, end));
    input.remove_prefix(end == input.npos ? input.size() : end + 1);
  }
  return words;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto report =
      replica::report_stream::report_of(replies_of(words_of({reinterpret_cast<const char*>(data), size})));
  if (!report) return 0;
  const auto again = replica::report_stream::report_of(replies_of(replica::report_stream::fields_of(*report)));
  if (!again || *again != *report) std::abort();
  return 0;
}

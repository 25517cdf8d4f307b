#include "store/memory/memory_query.hpp"

#include <algorithm>

namespace latchkey::store {
namespace {

char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) { return ascii_lower(a) == ascii_lower(b); };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

bool matches(const AccessKey& key, const KeyFilter& filter, UnixMillis now) {
  if (filter.user_id && key.user_id != *filter.user_id) return false;
  if (filter.status && status_of(key, now) != *filter.status) return false;
  return !filter.name || contains_ignoring_case(key.name, *filter.name);
}

}  // namespace

KeyPage list_keys_of(const MemoryStore::State& state, const KeyPageRequest& request) {
  KeyPage page;
  auto at = request.after ? state.keys.lower_bound(*request.after) : state.keys.end();
  while (at != state.keys.begin() && !page.more) {
    --at;
    if (!matches(at->second, request.filter, request.now)) continue;
    if (page.keys.size() == request.limit) {
      page.more = true;
    } else {
      page.keys.push_back(at->second);
    }
  }
  return page;
}

std::vector<SigningKey> signing_keys_of(const MemoryStore::State& state) {
  std::vector<SigningKey> keys;
  for (const auto& [kid, stored] : state.signing_keys) keys.push_back(stored.key);
  return keys;
}

}  // namespace latchkey::store

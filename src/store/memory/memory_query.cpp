#include "store/memory/memory_query.hpp"

#include <algorithm>
#include <ranges>

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
  if (filter.never_expires && key.expires_at) return false;
  if (filter.expires_before && !(key.expires_at && *key.expires_at < *filter.expires_before)) return false;
  return !filter.name || contains_ignoring_case(key.name, *filter.name);
}

}  // namespace

KeyPage list_keys_of(const MemoryStore::State& state, const KeyPageRequest& request) {
  const auto page_of = [&](auto keys) {
    KeyPage page;
    for (const auto& [id, key] : keys) {
      if (!matches(key, request.filter, request.now)) continue;
      page.more = page.keys.size() == request.limit;
      if (page.more) break;
      page.keys.push_back(key);
    }
    return page;
  };
  using std::ranges::subrange;
  const auto& keys = state.keys;
  if (request.order == KeyOrder::oldest_first) {
    return page_of(subrange(request.after ? keys.upper_bound(*request.after) : keys.begin(), keys.end()));
  }
  const auto end = request.after ? keys.lower_bound(*request.after) : keys.end();
  return page_of(subrange(keys.begin(), end) | std::views::reverse);
}

std::vector<SigningKey> signing_keys_of(const MemoryStore::State& state) {
  std::vector<SigningKey> keys;
  for (const auto& [kid, stored] : state.signing_keys) keys.push_back(stored.key);
  return keys;
}

}  // namespace latchkey::store

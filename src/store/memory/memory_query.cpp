#include "store/memory/memory_query.hpp"

#include <algorithm>
#include <iterator>

#include "key/in_force.hpp"

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
  if (!matches(filter.selector, key.labels) || (filter.without_deleted && key.deleted)) return false;
  return !filter.name || contains_ignoring_case(key.name, *filter.name);
}

const User* user_of(const MemoryStore::State& state, const AccessKey& key) {
  const auto found = state.users.find(key.user_id);
  return found == state.users.end() || found->second.deleted ? nullptr : &found->second;
}

const Plan* plan_named(const MemoryStore::State& state, const std::string* name) {
  const auto found = name == nullptr ? state.plans.end() : state.plans.find(*name);
  return found == state.plans.end() || found->second.deleted ? nullptr : &found->second;
}

template <class Row>
std::vector<Row> page_of(const std::map<std::string, Row, std::less<>>& rows, const NamePageRequest& request,
                         bool& more) {
  std::vector<Row> page;
  for (auto at = rows.upper_bound(request.after); at != rows.end(); ++at) {
    if (at->second.deleted) continue;
    more = page.size() == request.limit;
    if (more) break;
    page.push_back(at->second);
  }
  return page;
}

}  // namespace

KeyPage list_keys_of(const MemoryStore::State& state, const KeyPageRequest& request) {
  const auto page_of = [&](auto at, auto end) {
    KeyPage page;
    for (; at != end; ++at) {
      const AccessKey& key = at->second;
      if (!matches(key, request.filter, request.now)) continue;
      page.more = page.keys.size() == request.limit;
      if (page.more) break;
      page.keys.push_back(key);
    }
    return page;
  };
  const auto& keys = state.keys;
  if (request.order == KeyOrder::oldest_first) {
    return page_of(request.after ? keys.upper_bound(*request.after) : keys.begin(), keys.end());
  }
  const auto end = request.after ? keys.lower_bound(*request.after) : keys.end();
  return page_of(std::make_reverse_iterator(end), keys.rend());
}

std::vector<KeyId> list_key_ids_of(const MemoryStore::State& state, const KeyPageRequest& request) {
  std::vector<KeyId> ids;
  for (const auto& key : list_keys_of(state, request).keys) ids.push_back(key.id);
  return ids;
}

std::optional<AccessKey> changed_by(const ManyKeys& change, const AccessKey& key) {
  if (key.deleted || !matches(key, {.user_id = change.filter.user_id, .selector = change.filter.selector}, change.at)) {
    return std::nullopt;
  }
  AccessKey next = key;
  if (change.action == KeyAction::remove) {
    next.deleted = true;
  } else {
    next.disabled = change.action == KeyAction::disable;
  }
  if (next == key) return std::nullopt;
  next.updated_at = std::max(change.at, UnixMillis{key.updated_at.count + 1});
  next.updated_by = change.actor;
  return next;
}

std::vector<SigningKey> signing_keys_of(const MemoryStore::State& state) {
  std::vector<SigningKey> keys;
  for (const auto& [kid, stored] : state.signing_keys) keys.push_back(stored.key);
  return keys;
}

std::optional<Plan> find_plan_in(const MemoryStore::State& state, std::string_view name) {
  const auto found = state.plans.find(name);
  return found == state.plans.end() ? std::nullopt : std::optional(found->second);
}

std::optional<User> find_user_in(const MemoryStore::State& state, std::string_view user_id) {
  const auto found = state.users.find(user_id);
  return found == state.users.end() ? std::nullopt : std::optional(found->second);
}

PlanPage list_plans_of(const MemoryStore::State& state, const NamePageRequest& request) {
  PlanPage page;
  page.plans = page_of(state.plans, request, page.more);
  return page;
}

UserPage list_users_of(const MemoryStore::State& state, const NamePageRequest& request) {
  UserPage page;
  page.users = page_of(state.users, request, page.more);
  return page;
}

PlanUses plan_uses_in(const MemoryStore::State& state, std::string_view name) {
  PlanUses uses;
  for (const auto& [id, key] : state.keys) {
    const std::string* plan = plan_of(key, user_of(state, key));
    if (key.deleted || plan == nullptr || *plan != name) continue;
    ++uses.keys;
    uses.named_by_key = uses.named_by_key || key.plan.has_value();
  }
  uses.named_by_user = std::any_of(state.users.begin(), state.users.end(),
                                   [&](const auto& user) { return !user.second.deleted && user.second.plan == name; });
  return uses;
}

bool has_keys_in(const MemoryStore::State& state, std::string_view user_id) {
  return std::any_of(state.keys.begin(), state.keys.end(),
                     [&](const auto& key) { return !key.second.deleted && key.second.user_id == user_id; });
}

namespace {

/// The first `most` of a scope that are meant.
std::vector<KeyId> keys_of_scope(const MemoryStore::State& state, const TermsScope& scope, std::size_t most,
                                 bool (*is_meant)(const AccessKey&, const std::vector<LimitInForce>&)) {
  std::vector<KeyId> ids;
  for (const auto& [id, key] : state.keys) {
    const User* user = user_of(state, key);
    const std::string* plan = plan_of(key, user);
    if (key.deleted || (scope.user_id && key.user_id != *scope.user_id)) continue;
    if (scope.plan && (plan == nullptr || *plan != *scope.plan)) continue;
    if (!is_meant(key, limits_in_force(key, user, plan_named(state, plan)))) continue;
    if (ids.size() < most) ids.push_back(id);
  }
  return ids;
}

}  // namespace

std::vector<KeyId> keys_without_limit_in(const MemoryStore::State& state, const TermsScope& scope, std::size_t most) {
  return keys_of_scope(state, scope, most, [](const AccessKey& key, const std::vector<LimitInForce>& limits) {
    return !may_go_without(key) && limits.empty();
  });
}

std::vector<KeyId> keys_past_limits_in(const MemoryStore::State& state, const TermsScope& scope, std::size_t most) {
  return keys_of_scope(state, scope, most, [](const AccessKey&, const std::vector<LimitInForce>& limits) {
    return limits.size() > max_limits;
  });
}

namespace {

bool is_meant(const Change& change, const AuditQuery& query) {
  const auto* key = std::get_if<AccessKey>(&change.row);
  const auto* user = std::get_if<User>(&change.row);
  if (query.key_id && (key == nullptr || key->id != *query.key_id)) return false;
  if (query.user_id && (key == nullptr || key->user_id != *query.user_id) &&
      (user == nullptr || user->user_id != *query.user_id)) {
    return false;
  }
  if (query.actor && change.actor != *query.actor) return false;
  return (!query.since || change.at >= *query.since) && (!query.until || change.at < *query.until);
}

AuditEntry entry_of(const MemoryStore::State& state, const Change& change) {
  AuditEntry entry{.change = change};
  for (const Change& other : state.log) {
    if (other.seq < change.seq && same_row(other, change)) entry.before = other;
  }
  const auto note = state.notes.find(change.seq);
  if (note != state.notes.end()) entry.note = note->second;
  return entry;
}

}  // namespace

AuditPage audit_of(const MemoryStore::State& state, const AuditQuery& query) {
  AuditPage page;
  std::vector<Change> log = state.log;
  if (query.newest_first) std::ranges::reverse(log);
  for (const Change& change : log) {
    if (query.after && (query.newest_first ? change.seq >= *query.after : change.seq <= *query.after)) continue;
    if (!is_meant(change, query)) continue;
    if (page.entries.size() == query.limit) {
      page.more = true;
      break;
    }
    page.entries.push_back(entry_of(state, change));
  }
  return page;
}

std::vector<Notice> notices_after_in(const MemoryStore::State& state, std::uint64_t after, std::size_t limit) {
  std::vector<Notice> notices;
  for (const Notice& notice : state.notices) {
    if (notice.id > after && notices.size() < limit) notices.push_back(notice);
  }
  return notices;
}

namespace {

void rename(AccessKey& key, const Erasure& erasure) {
  key.user_id = erasure.pseudonym;
  key.name.clear();
  key.metadata = "{}";
}
void rename(User& user, const Erasure& erasure) {
  user.user_id = erasure.pseudonym;
  user.metadata = "{}";
}

/// Whether the row was this user's.
template <class Row>
bool erase_in(Change& change, const Erasure& erasure) {
  auto* row = std::get_if<Row>(&change.row);
  if (row == nullptr || row->user_id != erasure.user_id) return false;
  rename(*row, erasure);
  return true;
}

}  // namespace

std::uint64_t erase_history_in(MemoryStore::State& state, const Erasure& erasure) {
  state.users.erase(erasure.user_id);
  std::erase_if(state.idempotency, [&](const auto& row) { return row.first.first == erasure.user_id; });
  for (Notice& notice : state.notices) {
    if (notice.user_id == erasure.user_id) notice.user_id = erasure.pseudonym;
  }
  std::uint64_t rewritten = 0;
  for (Change& change : state.log) {
    if (erase_in<AccessKey>(change, erasure) || erase_in<User>(change, erasure)) ++rewritten;
    if (change.actor != erasure.user_id) continue;
    change.actor = erasure.pseudonym;
    ++rewritten;
  }
  return rewritten;
}

}  // namespace latchkey::store

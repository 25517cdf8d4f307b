#include "store/memory/memory_store.hpp"

#include <algorithm>
#include <cstring>

#include "store/memory/memory_query.hpp"

namespace latchkey::store {
namespace {

std::uint64_t random_bits(Random& random) {
  std::array<std::uint8_t, 8> bytes{};
  random.fill(bytes);
  std::uint64_t bits = 0;
  std::memcpy(&bits, bytes.data(), bytes.size());
  return bits;
}

}  // namespace

// Works on the state itself and remembers how to undo, so that an error leaves nothing behind.
class MemoryStore::Session final : public Transaction {
 public:
  Session(State& state, Clock& clock, Random& random) : state_(state), clock_(clock), random_(random) {}

  Result<std::optional<AccessKey>> find_key(KeyId id) override {
    const auto found = state_.keys.find(id);
    if (found == state_.keys.end()) return std::optional<AccessKey>();
    return std::optional<AccessKey>(found->second);
  }

  Result<Version> put_key(const AccessKey& key, std::string_view action) override {
    remember(state_.keys, key.id);
    AccessKey& row = state_.keys[key.id] = key;
    const Seq seq = state_.end().position.seq + 1;
    row.version = Version::made_by(seq);
    return append({seq, key.updated_at, key.updated_by, std::string(action), row});
  }

  Result<std::uint64_t> change_keys(const ManyKeys& change, std::span<const KeyId> ids) override {
    std::uint64_t changed = 0;
    for (const KeyId& id : ids) {
      const auto found = state_.keys.find(id);
      const auto next = found == state_.keys.end() ? std::nullopt : changed_by(change, found->second);
      if (!next) continue;
      if (const auto put = put_key(*next, to_string(change.action)); !put) return put.error();
      ++changed;
    }
    return changed;
  }

  Result<std::vector<SigningKey>> signing_keys() override { return signing_keys_of(state_); }

  Result<Version> put_signing_key(const SigningKey& key, std::string_view actor) override {
    remember(state_.signing_keys, key.kid);
    const Seq seq = state_.end().position.seq + 1;
    state_.signing_keys[key.kid] = {key, Version::made_by(seq)};
    return append({seq, key.updated_at, std::string(actor), "signing-key", key});
  }

  Result<std::optional<Plan>> find_plan(std::string_view name) override { return find_plan_in(state_, name); }

  Result<Version> put_plan(const Plan& plan, std::string_view action) override {
    remember(state_.plans, plan.name);
    Plan& row = state_.plans[plan.name] = plan;
    row.version = Version::made_by(state_.end().position.seq + 1);
    return append({row.version.change(), plan.updated_at, plan.updated_by, std::string(action), row});
  }

  Result<std::optional<User>> find_user(std::string_view user_id) override { return find_user_in(state_, user_id); }

  Result<Version> put_user(const User& user, std::string_view action) override {
    remember(state_.users, user.user_id);
    User& row = state_.users[user.user_id] = user;
    row.version = Version::made_by(state_.end().position.seq + 1);
    return append({row.version.change(), user.updated_at, user.updated_by, std::string(action), row});
  }

  Result<PlanUses> plan_uses(std::string_view name) override { return plan_uses_in(state_, name); }
  Result<bool> has_keys(std::string_view user_id) override { return has_keys_in(state_, user_id); }
  Result<std::vector<KeyId>> keys_without_limit(const TermsScope& scope, std::size_t most) override {
    return keys_without_limit_in(state_, scope, most);
  }
  Result<std::vector<KeyId>> keys_past_limits(const TermsScope& scope, std::size_t most) override {
    return keys_past_limits_in(state_, scope, most);
  }

  Result<void> note(const AuditNote& note) override {
    for (Seq seq = begin_ + 1; seq <= state_.end().position.seq; ++seq) {
      remember(state_.notes, seq);
      state_.notes[seq] = note;
    }
    return {};
  }

  Result<std::uint64_t> purgeable_keys(UnixMillis deleted_before) override {
    return static_cast<std::uint64_t>(std::count_if(state_.keys.begin(), state_.keys.end(), [&](const auto& row) {
      return row.second.deleted && row.second.updated_at < deleted_before;
    }));
  }

  Result<std::uint64_t> purge_keys(const Purge& purge) override {
    std::uint64_t purged = 0;
    for (auto at = state_.keys.begin(); at != state_.keys.end() && purged < purge.most;) {
      AccessKey key = (at++)->second;
      if (!key.deleted || key.updated_at >= purge.deleted_before) continue;
      sign(key, purge.at, purge.actor);
      if (const auto put = put_key(key, "purge"); !put) return put.error();
      state_.keys.erase(key.id);
      ++purged;
    }
    return purged;
  }

  Result<ErasedRows> erase_rows(const Erasure& erasure) override {
    ErasedRows erased;
    for (auto [id, key] : std::map(state_.keys)) {
      if (key.user_id != erasure.user_id) continue;
      key.user_id = erasure.pseudonym;
      key.name.clear();
      key.metadata = "{}";
      key.labels.clear();
      key.deleted = true;
      sign(key, erasure.at, erasure.actor);
      if (const auto put = put_key(key, "erase"); !put) return put.error();
      ++erased.keys;
    }
    const auto user = state_.users.find(erasure.user_id);
    if (user == state_.users.end()) return erased;
    erased.had_row = true;
    if (user->second.deleted) return erased;
    User gone;
    gone.user_id = erasure.user_id;
    gone.deleted = true;
    gone.created_at = user->second.created_at;
    gone.updated_at = user->second.updated_at;
    sign(gone, erasure.at, erasure.actor);
    if (const auto put = put_user(gone, "user-delete"); !put) return put.error();
    return erased;
  }

  Result<std::uint64_t> erase_history(const Erasure& erasure) override {
    undo_.push_back([this, before = state_] { state_ = before; });
    const std::uint64_t rewritten = erase_history_in(state_, erasure);
    if (const auto put = put_user(tombstone_of(erasure), "user-erase"); !put) return put.error();
    return rewritten;
  }

  Result<std::uint64_t> add_notices(std::span<const Notice> notices) override {
    undo_.push_back([this, before = state_.notices, last = state_.last_notice] {
      state_.notices = before;
      state_.last_notice = last;
    });
    std::uint64_t added = 0;
    for (Notice notice : notices) {
      const bool there = std::any_of(state_.notices.begin(), state_.notices.end(), [&](const Notice& other) {
        return other.about == notice.about && other.kind == notice.kind && other.key_id == notice.key_id &&
               other.user_id == notice.user_id;
      });
      if (there) continue;
      notice.id = ++state_.last_notice;
      state_.notices.push_back(std::move(notice));
      ++added;
    }
    const std::int64_t oldest = clock_.wall().count - notice_lifetime_ms;
    std::erase_if(state_.notices, [&](const Notice& notice) { return notice.at.count < oldest; });
    return added;
  }

  Result<std::uint64_t> last_notice() override { return state_.last_notice; }

  Result<std::vector<ExpiringKey>> keys_expiring(UnixMillis after, UnixMillis until) override {
    std::vector<ExpiringKey> keys;
    for (const auto& [id, key] : state_.keys) {
      if (key.deleted || key.disabled || !key.expires_at) continue;
      if (*key.expires_at > after && *key.expires_at <= until) keys.push_back({id, key.user_id, *key.expires_at});
    }
    return keys;
  }

  Result<std::optional<std::int64_t>> lease_mark(const MarkLease& lease) override {
    remember(state_.marks, lease.name);
    auto [found, made] = state_.marks.try_emplace(lease.name, lease, lease.otherwise);
    if (found->second.first.owner != lease.owner && found->second.first.until >= lease.now) {
      return std::optional<std::int64_t>();
    }
    found->second.first = lease;
    return std::optional(found->second.second);
  }

  Result<void> set_mark(std::string_view name, std::int64_t value) override {
    remember(state_.marks, std::string(name));
    const auto found = state_.marks.find(name);
    if (found != state_.marks.end()) found->second.second = value;
    return {};
  }

  Result<std::optional<Change>> find_change(Seq seq) override {
    if (seq == Seq{} || seq > state_.end().position.seq) return std::optional<Change>();
    return std::optional<Change>(state_.log[seq.value - 1]);
  }

  Result<std::optional<IdempotencyRecord>> find_idempotency(std::string_view actor, std::string_view key) override {
    const auto found = state_.idempotency.find({std::string(actor), std::string(key)});
    if (found == state_.idempotency.end()) return std::optional<IdempotencyRecord>();
    return std::optional<IdempotencyRecord>(found->second);
  }

  Result<void> put_idempotency(const IdempotencyRecord& record) override {
    forget_old_idempotency();
    const std::pair<std::string, std::string> name(record.actor, record.idempotency_key);
    remember(state_.idempotency, name);
    IdempotencyRecord& kept = state_.idempotency[name] = record;
    if (kept.seq == Seq{}) kept.seq = state_.end().position.seq;
    return {};
  }

  void roll_back() {
    for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) (*undo)();
  }

 private:
  template <class Row>
  static void sign(Row& row, UnixMillis at, const std::string& actor) {
    row.updated_at = std::max(at, UnixMillis{row.updated_at.count + 1});
    row.updated_by = actor;
  }

  template <class Map>
  void remember(Map& map, const typename Map::key_type& key) {
    const auto found = map.find(key);
    if (found == map.end()) {
      undo_.push_back([&map, key] { map.erase(key); });
    } else {
      undo_.push_back([&map, key, old = found->second] { map[key] = old; });
    }
  }

  Version append(Change change) {
    undo_.push_back([this] { state_.log.pop_back(); });
    change.nonce = {random_bits(random_)};
    state_.log.push_back(std::move(change));
    return Version::made_by(state_.log.back().seq);
  }

  void forget_old_idempotency() {
    const std::int64_t oldest = clock_.wall().count - IdempotencyRecord::lifetime_ms;
    for (auto at = state_.idempotency.begin(); at != state_.idempotency.end();) {
      if (at->second.created_at.count >= oldest) {
        ++at;
        continue;
      }
      remember(state_.idempotency, at->first);
      at = state_.idempotency.erase(at);
    }
  }

  State& state_;
  Clock& clock_;
  Random& random_;
  const Seq begin_ = state_.end().position.seq;
  std::vector<std::function<void()>> undo_;
};

MemoryStore::MemoryStore(Clock& clock, Random& random) : clock_(clock), random_(random) {
  state_.epoch = {random_bits(random)};
}

Result<LogEnd> MemoryStore::run(const Work& work) {
  const MutexLock lock(mutex_);
  Session session(state_, clock_, random_);
  try {
    const auto worked = work(session);
    if (worked) return state_.end();
    session.roll_back();
    return worked.error();
  } catch (const std::exception& broken) {
    session.roll_back();
    return Error(ErrorCode::internal, "the command failed", broken.what());
  }
}

void MemoryStore::transact(Work work, Done done) {
  auto outcome = run(work);
  changed_.notify_all();
  done(std::move(outcome));
}

Result<std::optional<AccessKey>> MemoryStore::find_key(KeyId id) {
  const MutexLock lock(mutex_);
  return Session(state_, clock_, random_).find_key(id);
}

Result<KeyPage> MemoryStore::list_keys(const KeyPageRequest& request) {
  const MutexLock lock(mutex_);
  return list_keys_of(state_, request);
}

Result<std::vector<KeyId>> MemoryStore::list_key_ids(const KeyPageRequest& request) {
  const MutexLock lock(mutex_);
  return list_key_ids_of(state_, request);
}

Result<std::vector<SigningKey>> MemoryStore::signing_keys() {
  const MutexLock lock(mutex_);
  return signing_keys_of(state_);
}

Result<std::optional<Plan>> MemoryStore::find_plan(std::string_view name) {
  const MutexLock lock(mutex_);
  return find_plan_in(state_, name);
}

Result<std::optional<User>> MemoryStore::find_user(std::string_view user_id) {
  const MutexLock lock(mutex_);
  return find_user_in(state_, user_id);
}

Result<PlanPage> MemoryStore::list_plans(const NamePageRequest& request) {
  const MutexLock lock(mutex_);
  return list_plans_of(state_, request);
}

Result<UserPage> MemoryStore::list_users(const NamePageRequest& request) {
  const MutexLock lock(mutex_);
  return list_users_of(state_, request);
}

Result<PlanUses> MemoryStore::plan_uses(std::string_view name) {
  const MutexLock lock(mutex_);
  return plan_uses_in(state_, name);
}

Result<std::vector<Notice>> MemoryStore::notices_after(std::uint64_t after, std::size_t limit) {
  const MutexLock lock(mutex_);
  return notices_after_in(state_, after, limit);
}

Result<std::vector<Change>> MemoryStore::changes_after(Seq after, std::size_t limit) {
  const MutexLock lock(mutex_);
  std::vector<Change> changes;
  for (std::size_t i = after.value; i < state_.log.size() && changes.size() < limit; ++i) {
    changes.push_back(state_.log[i]);
  }
  return changes;
}

Result<AuditPage> MemoryStore::audit(const AuditQuery& query) {
  const MutexLock lock(mutex_);
  return audit_of(state_, query);
}

Result<Position> MemoryStore::position() {
  const MutexLock lock(mutex_);
  return state_.end().position;
}

MemoryStore::State MemoryStore::backup() const {
  const MutexLock lock(mutex_);
  return state_;
}

void MemoryStore::restore(State state) {
  {
    const MutexLock lock(mutex_);
    state_ = std::move(state);
  }
  changed_.notify_all();
}

void MemoryStore::watch(std::chrono::milliseconds patience, const std::function<bool(const State&)>& look) {
  const MutexLock lock(mutex_);
  if (look(state_) || patience <= std::chrono::milliseconds::zero()) return;
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!look(state_) && changed_.wait_until(mutex_, end)) {
  }
}

void MemoryStore::nudge() {
  // The lock, taken for a moment, keeps the nudge from falling between a watcher's look and its wait.
  { const MutexLock lock(mutex_); }
  changed_.notify_all();
}

}  // namespace latchkey::store

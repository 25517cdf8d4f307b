#include "view/view.hpp"

#include <array>
#include <cstring>
#include <utility>

#include "base/random.hpp"
#include "view/digest_trail.hpp"
#include "view/freshness_cell.hpp"
#include "view/key_index.hpp"
#include "view/named_rows.hpp"
#include "view/reclamation.hpp"
#include "view/row_arena.hpp"

namespace latchkey::view {
namespace {

HashSeed random_seed() {
  std::array<std::uint8_t, sizeof(HashSeed)> bytes{};
  SystemRandom().fill(bytes);
  HashSeed seed;
  std::memcpy(&seed, bytes.data(), bytes.size());
  return seed;
}

void drop_what_no_check_needs(Plan& plan) {
  plan.description = plan.updated_by = {};
  plan.metadata = "{}";
}

void drop_what_no_check_needs(User& user) {
  user.updated_by = {};
  user.metadata = "{}";
}

void release_row(void* rows, std::uint64_t ref) { static_cast<RowArena*>(rows)->release(static_cast<RowRef>(ref)); }

}  // namespace

/// A share of the keys, so that references of 28 bits reach more rows than one arena holds.
struct Partition {
  Partition(Reclamation& reclamation, HashSeed seed) : keys(rows, reclamation, seed) {}

  const KeyRow* find(const KeyId& id) const {
    const RowRef ref = keys.find(id);
    return ref == 0 ? nullptr : &rows.at(ref);
  }

  RowArena rows;
  KeyIndex keys;
};

/// Everything that a reset drops.
struct View::State {
  State(std::uint64_t life_number, KeyGenerations& seals, Reclamation& reclamation, HashSeed seed)
      : life(life_number),
        partitions{{{reclamation, seed}, {reclamation, seed}, {reclamation, seed}, {reclamation, seed}}},
        signing_keys(seals, reclamation),
        plans(reclamation, seed),
        users(reclamation, seed) {}

  // Ids end in random bits. A hand-made id that does not can only make one share larger.
  Partition& of(const KeyId& id) { return partitions[id.bytes().back() % partitions.size()]; }
  const Partition& of(const KeyId& id) const { return partitions[id.bytes().back() % partitions.size()]; }

  RowLinks links_of(const AccessKey& key) { return {terms.of(key), users.tag_of(key.user_id)}; }
  NamedRows<PlanRow>& rows_like(const Plan&) { return plans; }
  NamedRows<UserRow>& rows_like(const User&) { return users; }
  void about_to_put(const Plan&) {}
  void about_to_put(const User& user) { user_filter.add(users.tag_of(user.user_id)); }
  feed::RowsDigest digest_of_named() const {
    feed::RowsDigest sum = 0;
    plans.visit([&](const Plan& plan) { sum += feed::digest_of(plan, plan.version); });
    users.visit([&](const User& user) { sum += feed::digest_of(user, user.version); });
    return sum;
  }

  const std::uint64_t life;
  std::array<Partition, 4> partitions;
  SigningKeys signing_keys;
  TermsBook terms;
  NamedRows<PlanRow> plans;
  NamedRows<UserRow> users;
  UserFilter user_filter;
  feed::RowsDigest digest = 0;  // of all rows; the writer's
  DigestTrail trail;            // likewise; begins once the rows are those of one position
  // Of View::recount(): the parts before `recount_next` add up to `recounted`, changes since included.
  std::size_t recount_next = 0;
  feed::RowsDigest recounted = 0;
};

struct View::Impl {
  Impl() : state(new_state()) {}
  ~Impl() {
    reclamation.free_all();  // before the state: retired rows return to its arena
    delete state.load(std::memory_order_relaxed);
  }

  State* new_state() { return new State(standing.life, seals, reclamation, seed); }
  void publish_sizes(const State& now) {
    std::size_t keys = 0, bytes = 0;
    for (const Partition& each : now.partitions) {
      keys += each.keys.size();
      bytes += each.rows.resident_bytes() + each.keys.resident_bytes();
    }
    key_count.store(keys, std::memory_order_relaxed);
    resident_bytes.store(bytes, std::memory_order_relaxed);
  }

  const HashSeed seed = random_seed();
  KeyGenerations seals;
  Reclamation reclamation;
  Standing standing;  // the writer's copy of what `freshness` tells
  FreshnessCell freshness;
  std::atomic<State*> state;
  std::atomic<std::size_t> key_count{0};
  std::atomic<std::size_t> resident_bytes{0};
};

View::View() : impl_(std::make_unique<Impl>()) {}
View::~View() = default;

// Readers that are inside keep the dropped state until they leave; it is freed after the last. Their freshness()
// already says "not complete", since its life is not theirs, so none of them admits by it.
void View::reset() {
  impl_->standing = {Freshness{}, impl_->standing.life + 1};
  impl_->freshness.publish(impl_->standing);
  impl_->seals.renew_all();
  State* fresh = impl_->new_state();
  State* dropped = impl_->state.exchange(fresh, std::memory_order_seq_cst);
  impl_->publish_sizes(*fresh);
  impl_->reclamation.retire([](void* state, std::uint64_t) { delete static_cast<State*>(state); }, dropped, 0);
  impl_->reclamation.collect();
}

void View::apply(const AccessKey& key) { apply_row(key, key.version); }

void View::apply(const SigningKey& key, Version version) {
  State& state = *impl_->state.load(std::memory_order_relaxed);
  state.digest += state.signing_keys.apply(key, version);
}

void View::apply(const Change& change) {
  if (const auto* key = std::get_if<AccessKey>(&change.row)) {
    apply_row(*key, Version::made_by(change.seq));
  } else if (const auto* signing_key = std::get_if<SigningKey>(&change.row)) {
    apply(*signing_key, Version::made_by(change.seq));
  } else if (const auto* plan = std::get_if<Plan>(&change.row)) {
    apply_named(*plan, Version::made_by(change.seq));
  } else {
    apply_named(std::get<User>(change.row), Version::made_by(change.seq));
  }
  State& state = *impl_->state.load(std::memory_order_relaxed);
  state.trail.go_to(change.seq, state.digest);
}

void View::apply(const Plan& plan) { apply_named(plan, plan.version); }

void View::apply(const User& user) { apply_named(user, user.version); }

template <class Row>
void View::apply_named(const Row& row, Version version) {
  State& state = *impl_->state.load(std::memory_order_relaxed);
  auto& rows = state.rows_like(row);
  const Row* held = rows.find(name_of(row));
  if (held != nullptr && version <= held->version) return;
  state.digest += feed::digest_of(row, version) - (held == nullptr ? 0 : feed::digest_of(*held, held->version));
  state.about_to_put(row);
  Row kept = row;
  kept.version = version;
  drop_what_no_check_needs(kept);
  rows.emplace(std::move(kept));
}

// The new row is whole before the index names it, and the old one is freed when no reader can hold it any more. A
// reader sees either row, never a mixture.
void View::apply_row(const AccessKey& key, Version version) {
  State& state = *impl_->state.load(std::memory_order_relaxed);
  auto& [rows, keys] = state.of(key.id);
  const RowRef held = keys.find(key.id);
  if (held != 0 && version <= rows.at(held).version()) return;
  const RowRef ref = rows.create(key, version, state.links_of(key));
  const feed::RowsDigest moved = rows.at(ref).digest() - (held != 0 ? rows.at(held).digest() : 0);
  state.digest += moved;
  if (state.recount_next > 0 && keys.shard_of(key.id) < state.recount_next) state.recounted += moved;
  if (held != 0) rows.at(ref).inherit_memos(rows.at(held));
  keys.put(key.id, ref);
  if (held != 0) impl_->reclamation.retire(&release_row, &rows, held);
  impl_->publish_sizes(state);
}

void View::advance(Position position, std::optional<BootTime> as_of, Nonce nonce) {
  Freshness& freshness = impl_->standing.freshness;
  freshness.position = position;
  freshness.nonce = nonce;
  if (as_of) {
    freshness.complete = true;
    freshness.current_as_of = *as_of;
    State& state = *impl_->state.load(std::memory_order_relaxed);
    if (!state.trail.begun()) state.trail.begin(position.seq, state.digest);
  }
  impl_->freshness.publish(impl_->standing);
  impl_->reclamation.collect();
}

std::optional<feed::RowsDigest> View::digest_at(Position position) const {
  if (!(impl_->standing.freshness.position.epoch == position.epoch)) return std::nullopt;
  return impl_->state.load(std::memory_order_relaxed)->trail.at(position.seq);
}

// One slice of the keys a call. Changes to slices that were counted already are added by apply_row(), so that after
// the last slice the sum is of one moment: now.
std::optional<bool> View::recount() {
  State& state = *impl_->state.load(std::memory_order_relaxed);
  for (const Partition& each : state.partitions) {
    each.keys.visit(state.recount_next, [&](RowRef ref) { state.recounted += each.rows.at(ref).digest(); });
  }
  if (++state.recount_next < slices()) return std::nullopt;
  state.recount_next = 0;
  return std::exchange(state.recounted, 0) + state.signing_keys.digest() + state.digest_of_named() == state.digest;
}

bool View::plant_drift() {
  State& state = *impl_->state.load(std::memory_order_relaxed);
  for (Partition& each : state.partitions) {
    auto& rows = each.rows;
    auto& keys = each.keys;
    RowRef found = 0;
    for (std::size_t shard = 0; shard < KeyIndex::shard_count(); ++shard) {
      keys.visit(shard, [&](RowRef ref) { found = rows.at(ref).deleted() ? found : ref; });
    }
    if (found == 0) continue;
    AccessKey key = rows.at(found).as_access_key();
    key.disabled = !key.disabled;
    keys.put(key.id, rows.create(key, key.version, state.links_of(key)));
    impl_->reclamation.retire(&release_row, &rows, found);
    return true;
  }
  return false;
}

std::size_t View::slices() { return KeyIndex::shard_count(); }

void View::visit(std::size_t slice, feed::SnapshotSink& sink) const {
  const State& state = *impl_->state.load(std::memory_order_relaxed);
  for (const Partition& each : state.partitions) {
    each.keys.visit(slice, [&](RowRef ref) { sink.access_key(each.rows.at(ref).as_access_key()); });
  }
  if (slice > 0) return;
  state.plans.visit([&](const Plan& plan) { sink.plan(plan); });
  state.users.visit([&](const User& user) { sink.user(user); });
  state.signing_keys.visit([&](const SigningKey& key, Version version) { sink.signing_key(key, version); });
}

View::Reader::Reader(const View& view)
    : impl_(*view.impl_), slot_(impl_.reclamation.enter()), state_(impl_.state.load(std::memory_order_seq_cst)) {}

View::Reader::~Reader() { impl_.reclamation.leave(slot_); }

const KeyRow* View::Reader::find(KeyId id) const { return state_->of(id).find(id); }

// The row's first and last cache line and the user id are fetched ahead. The row may be another key's, as the index
// compares a few bits only: that costs nothing but the fetch.
const KeyRow* View::Reader::prefetch(KeyId id) const {
  const Partition& part = state_->of(id);
  const RowRef ref = part.keys.nearest(id);
  if (ref == 0) return nullptr;
  const KeyRow* row = &part.rows.at(ref);
  const auto* bytes = reinterpret_cast<const char*>(row);
  __builtin_prefetch(bytes);
  __builtin_prefetch(bytes + sizeof(KeyRow) - 1);
  __builtin_prefetch(bytes + sizeof(KeyRow) + 16);  // the user id
  return row;
}

void View::Reader::prefetch(std::span<const KeyId> ids) const {
  for (const KeyId& id : ids) state_->of(id).keys.prefetch(id);
  for (const KeyId& id : ids) prefetch(id);
}

std::optional<UsableKey> View::Reader::usable_key(std::string_view kid) const {
  const UsableKey* key = state_->signing_keys.find(kid);
  if (key == nullptr) return std::nullopt;
  return *key;
}

bool View::Reader::may_have_terms(const KeyRow& row) const {
  return row.terms() != nullptr || state_->user_filter.may_have(row.user_tag());
}

TermsInForce View::Reader::terms_of(const KeyRow& row) const {
  TermsInForce terms{row.terms(), state_->users.find(row.user_id()), nullptr};
  const bool has_user = terms.user != nullptr && !terms.user->deleted;
  const std::optional<std::string>* plan = terms.own != nullptr && terms.own->plan ? &terms.own->plan
                                           : has_user                              ? &terms.user->plan
                                                                                   : nullptr;
  if (plan != nullptr && *plan) terms.plan = state_->plans.find(**plan);
  return terms;
}

std::vector<UsableKey> View::Reader::usable_keys() const { return state_->signing_keys.all(); }

Freshness View::Reader::freshness() const {
  Standing standing = impl_.freshness.read();
  standing.freshness.complete = standing.freshness.complete && standing.life == state_->life;
  return standing.freshness;
}

void View::Reader::replace(const KeyRow& row, Issue issue, const jwt::TokenDigest& from,
                           const jwt::TokenDigest& to) const {
  row.memo(issue).replace(from, to, impl_.seals);
}

std::optional<Issue> View::Reader::recall(const KeyRow& row, const jwt::TokenDigest& digest) const {
  for (const Issue issue : {Issue::current, Issue::earlier}) {
    if (row.memo(issue).recalls(digest, impl_.seals)) return issue;
  }
  return std::nullopt;
}

std::optional<Ed25519PublicKey> View::signing_key(std::string_view kid) const {
  const auto key = Reader(*this).usable_key(kid);
  if (!key) return std::nullopt;
  return key->public_key;
}

Freshness View::freshness() const { return impl_->freshness.read().freshness; }
std::size_t View::key_count() const { return impl_->key_count.load(std::memory_order_relaxed); }
std::size_t View::resident_bytes() const { return impl_->resident_bytes.load(std::memory_order_relaxed); }

}  // namespace latchkey::view

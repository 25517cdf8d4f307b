#include "store/testing/key_store_suite.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

namespace latchkey::store {

AccessKey KeyStoreSuite::new_key(const std::string& user_id) {
  clock_.advance(std::chrono::milliseconds(1));
  AccessKey key;
  key.id = KeyId::generate(now(), key_random_);
  key.user_id = user_id;
  key.name = "Ümläut \"quoted\"";
  key.metadata = R"({"a":[1,2]})";
  key.requests_per_minute = 60;
  key.issued_at = {now().seconds()};
  key.created_at = key.updated_at = now();
  key.updated_by = "ops";
  return key;
}

SigningKey KeyStoreSuite::new_signing_key(char first_letter) {
  SigningKey key;
  key.kid = std::string(43, first_letter);
  key.public_key.fill(static_cast<std::uint8_t>(first_letter));
  key.public_key[0] = 0;
  key.created_at = key.updated_at = now();
  return key;
}

AccessKey KeyStoreSuite::put(AccessKey key, const std::string& action) {
  const auto done = store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
    const auto version = transaction.put_key(key, action);
    if (!version) return version.error();
    key.version = *version;
    return {};
  });
  EXPECT_TRUE(done) << done.error().internal;
  return key;
}

std::vector<KeyId> KeyStoreSuite::ids_of(const KeyPageRequest& request) {
  const auto page = store_->list_keys(request);
  EXPECT_TRUE(page);
  std::vector<KeyId> ids;
  for (const auto& key : page->keys) ids.push_back(key.id);
  return ids;
}

namespace {

Result<void> put_with(Transaction& transaction, const AccessKey& key) {
  const auto put = transaction.put_key(key, "create");
  return put ? Result<void>() : put.error();
}

TEST_P(KeyStoreSuite, BeginsEmptyAtSeqZeroOfARandomEpoch) {
  EXPECT_EQ(store_->position()->seq, Seq{0});
  const auto another = GetParam().make(clock_, random_);
  EXPECT_NE(store_->position()->epoch, another->position()->epoch);
  EXPECT_TRUE(store_->list_keys(page())->keys.empty());
  EXPECT_TRUE(store_->changes_after(Seq{0}, 1000)->empty());
  EXPECT_EQ(*store_->find_key(new_key().id), std::nullopt);
}

TEST_P(KeyStoreSuite, FindsARowAsItWasPutWithTheSeqOfItsChange) {
  AccessKey plain = new_key();
  plain.name.clear();
  AccessKey full = new_key();
  full.previous = PreviousIssue{{full.issued_at.seconds - 5}, now() + std::chrono::hours(1)};
  full.expires_at = now() + std::chrono::hours(24);
  full.disabled = true;
  plain = put(plain);
  full = put(full);
  EXPECT_EQ(plain.version, Version{1});
  EXPECT_EQ(full.version, Version{2});
  EXPECT_EQ(*store_->find_key(plain.id), plain);
  EXPECT_EQ(*store_->find_key(full.id), full);
}

TEST_P(KeyStoreSuite, PutReplacesTheWholeRow) {
  AccessKey key = new_key();
  key.expires_at = now() + std::chrono::hours(1);
  put(key);
  key.expires_at.reset();
  key.user_id = "bob";
  key.requests_per_minute = 5;
  key.deleted = true;
  key.updated_by = "key:" + key.id.to_string();
  key = put(key, "delete");
  EXPECT_EQ(key.version, Version{2});
  EXPECT_EQ(*store_->find_key(key.id), key);
  EXPECT_EQ(store_->list_keys(page())->keys.size(), 1U);
}

TEST_P(KeyStoreSuite, EachPutIsAChangeWithItsFullRowActorAndAction) {
  AccessKey key = put(new_key());
  AccessKey rotated = key;
  rotated.issued_at.seconds += 1;
  rotated.updated_by = "eve";
  rotated.updated_at = rotated.updated_at + std::chrono::milliseconds(5);
  rotated = put(rotated, "rotate");
  const auto changes = store_->changes_after(Seq{0}, 1000);
  ASSERT_EQ(changes->size(), 2U);
  EXPECT_EQ((*changes)[0], (Change{1, key.updated_at, "ops", "create", key, (*changes)[0].nonce}));
  EXPECT_EQ((*changes)[1], (Change{2, rotated.updated_at, "eve", "rotate", rotated, (*changes)[1].nonce}));
  EXPECT_NE((*changes)[0].nonce, (*changes)[1].nonce);
}

TEST_P(KeyStoreSuite, AnUnchangedRowPutAgainIsStillAChangeOfThatAction) {
  const AccessKey key = put(new_key());
  const AccessKey again = put(key, "update");
  EXPECT_EQ(again.version, Version{2});
  EXPECT_EQ(store_->changes_after(Seq{1}, 10)->at(0).action, "update");
  EXPECT_EQ(store_->changes_after(Seq{1}, 10)->at(0).actor, "ops");
}

TEST_P(KeyStoreSuite, SigningKeysAreRowsAndChangesToo) {
  SigningKey key = new_signing_key('A');
  const auto put_one = [&](Transaction& transaction) -> Result<void> {
    const auto put = transaction.put_signing_key(key, "ops");
    return put ? Result<void>() : put.error();
  };
  ASSERT_TRUE(store_->transact_and_wait(put_one));
  key.state = SigningKeyState::retired;
  key.updated_at = key.updated_at + std::chrono::seconds(1);
  EXPECT_EQ(store_->transact_and_wait(put_one)->position.seq, Seq{2});
  EXPECT_EQ(*store_->signing_keys(), std::vector<SigningKey>{key});
  const Change change = store_->changes_after(Seq{1}, 10)->at(0);
  EXPECT_EQ(change, (Change{2, key.updated_at, "ops", "signing-key", key, change.nonce}));
}

TEST_P(KeyStoreSuite, AnErrorRollsBackWhatItsWorkDidAndNothingElse) {
  const AccessKey kept = put(new_key());
  const AccessKey dropped = new_key();
  AccessKey overwritten = kept;
  overwritten.user_id = "mallory";
  const auto failed = store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(put_with(transaction, dropped));
    EXPECT_TRUE(put_with(transaction, overwritten));
    EXPECT_TRUE(transaction.put_signing_key(new_signing_key('B'), "ops"));
    EXPECT_TRUE(transaction.put_idempotency({"ops", "k", "d", dropped.id, 0, "kid", now()}));
    return Error(ErrorCode::conflict, "changed my mind");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::conflict);
  EXPECT_EQ(failed.error().detail, "changed my mind");
  EXPECT_EQ(*store_->find_key(dropped.id), std::nullopt);
  EXPECT_EQ(*store_->find_key(kept.id), kept);
  EXPECT_TRUE(store_->signing_keys()->empty());
  EXPECT_EQ(put(dropped).version, Version{2}) << "the log stays dense over a rollback";
}

TEST_P(KeyStoreSuite, AnExceptionRollsBackAndIsAnInternalError) {
  const auto failed = store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(put_with(transaction, new_key()));
    throw std::runtime_error("broken");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::internal);
  EXPECT_EQ(store_->position()->seq, Seq{0});
}

TEST_P(KeyStoreSuite, AWorkSeesItsOwnChanges) {
  AccessKey key = new_key();
  const auto done = store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(put_with(transaction, key));
    EXPECT_EQ((*transaction.find_key(key.id))->version, Version{1});
    EXPECT_EQ((*transaction.find_change(Seq{1}))->action, "create");
    EXPECT_EQ(*transaction.find_change(Seq{2}), std::nullopt);
    EXPECT_EQ(*transaction.find_change(Seq{0}), std::nullopt);
    EXPECT_TRUE(transaction.put_signing_key(new_signing_key('C'), "ops"));
    EXPECT_EQ(transaction.signing_keys()->size(), 1U);
    return {};
  });
  EXPECT_EQ(done->position.seq, Seq{2}) << "the last change of the work";
  EXPECT_EQ(done->nonce, store_->changes_after(Seq{1}, 10)->at(0).nonce);
  EXPECT_EQ(done->position, *store_->position());
}

TEST_P(KeyStoreSuite, AWorkWithoutChangesAnswersTheStoresLast) {
  const auto look = [](Transaction&) { return Result<void>(); };
  EXPECT_EQ(*store_->transact_and_wait(look), (LogEnd{*store_->position(), 0}));
  put(new_key());
  const auto done = store_->transact_and_wait(look);
  EXPECT_EQ(*done, (LogEnd{*store_->position(), store_->changes_after(Seq{0}, 10)->at(0).nonce}));
  EXPECT_EQ(done->position.seq, Seq{1});
}

TEST_P(KeyStoreSuite, ConcurrentWorksLoseNothingAndTheLogIsDense) {
  const AccessKey shared = put(new_key());
  constexpr int threads = 8;
  constexpr int rounds = 25;
  std::vector<std::thread> callers;
  std::atomic<int> failures{0};
  for (int i = 0; i < threads; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        const auto done = store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
          auto key = **transaction.find_key(shared.id);
          ++*key.requests_per_minute;
          return put_with(transaction, key);
        });
        if (!done) ++failures;
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ((*store_->find_key(shared.id))->requests_per_minute, *shared.requests_per_minute + threads * rounds);
  const auto changes = store_->changes_after(Seq{0}, 1000);
  ASSERT_EQ(changes->size(), 1U + threads * rounds);
  for (std::size_t i = 0; i < changes->size(); ++i) EXPECT_EQ((*changes)[i].seq, Seq{i + 1});
}

TEST_P(KeyStoreSuite, DoneIsCalledOnceForEachWorkAfterItsChangesCanBeRead) {
  std::atomic<int> called{0};
  std::promise<void> all;
  constexpr int works = 20;
  std::vector<AccessKey> keys;
  for (int i = 0; i < works; ++i) keys.push_back(new_key());
  for (int i = 0; i < works; ++i) {
    store_->transact([&, i](Transaction& t) { return put_with(t, keys[static_cast<std::size_t>(i)]); },
                     [&, i](const Result<LogEnd>& end) {
                       EXPECT_TRUE(end);
                       const Change made = store_->changes_after(end->position.seq - 1, 1)->at(0);
                       EXPECT_EQ(std::get<AccessKey>(made.row).id, keys[static_cast<std::size_t>(i)].id);
                       EXPECT_EQ(made.nonce, end->nonce) << "its own, also where many share a commit";
                       if (++called == works) all.set_value();
                     });
  }
  all.get_future().wait();
  EXPECT_EQ(called, works);
}

TEST_P(KeyStoreSuite, ChangesComeInOrderUpToTheLimit) {
  for (int i = 0; i < 5; ++i) put(new_key());
  const auto changes = store_->changes_after(Seq{1}, 3);
  ASSERT_EQ(changes->size(), 3U);
  EXPECT_EQ(changes->front().seq, Seq{2});
  EXPECT_EQ(changes->back().seq, Seq{4});
  EXPECT_TRUE(store_->changes_after(Seq{5}, 10)->empty());
  EXPECT_TRUE(store_->changes_after(Seq{500}, 10)->empty());
}

TEST_P(KeyStoreSuite, PagesAreNewestFirstWithoutGapOrRepetition) {
  std::vector<KeyId> expected;
  for (int i = 0; i < 7; ++i) expected.insert(expected.begin(), put(new_key()).id);
  std::vector<KeyId> seen;
  auto request = page({}, 3);
  for (bool more = true; more;) {
    const auto found = store_->list_keys(request);
    for (const auto& key : found->keys) seen.push_back(key.id);
    more = found->more;
    request.after = seen.back();
  }
  EXPECT_EQ(seen, expected);
  request.after = expected.back();
  EXPECT_TRUE(store_->list_keys(request)->keys.empty());
  EXPECT_FALSE(store_->list_keys(page({}, 7))->more);
}

TEST_P(KeyStoreSuite, PagesMayBeginWithTheOldest) {
  std::vector<KeyId> expected, seen;
  for (int i = 0; i < 7; ++i) expected.push_back(put(new_key()).id);
  auto request = page({}, 3);
  request.order = KeyOrder::oldest_first;
  for (bool more = true; more;) {
    const auto found = store_->list_keys(request);
    for (const auto& key : found->keys) seen.push_back(key.id);
    more = found->more;
    request.after = seen.back();
  }
  EXPECT_EQ(seen, expected);
}

TEST_P(KeyStoreSuite, FiltersByExpiry) {
  AccessKey never = new_key(), soon = new_key(), later = new_key();
  soon.expires_at = now() + std::chrono::milliseconds(1000);
  later.expires_at = now() + std::chrono::milliseconds(2000);
  put(never), put(soon), put(later);
  EXPECT_EQ(ids_of(page({.never_expires = true})), std::vector<KeyId>{never.id});
  EXPECT_EQ(ids_of(page({.expires_before = now() + std::chrono::milliseconds(1000)})), std::vector<KeyId>{});
  EXPECT_EQ(ids_of(page({.expires_before = now() + std::chrono::milliseconds(1001)})), std::vector<KeyId>{soon.id});
  EXPECT_EQ(ids_of(page({.status = KeyStatus::active, .expires_before = now() + std::chrono::milliseconds(9000)})),
            (std::vector<KeyId>{later.id, soon.id}));
  EXPECT_EQ(ids_of(page({.never_expires = true, .expires_before = now() + std::chrono::milliseconds(9000)})),
            std::vector<KeyId>{});
}

TEST_P(KeyStoreSuite, FiltersByUserAndNameAlsoTogether) {
  AccessKey first = new_key("alice"), second = new_key("bob"), third = new_key("alice");
  first.name = "Build Server";
  second.name = "rebuild%_";
  third.name = "laptop";
  put(first), put(second), put(third);
  EXPECT_EQ(ids_of(page({.user_id = "alice"})), (std::vector<KeyId>{third.id, first.id}));
  EXPECT_EQ(ids_of(page({.user_id = "ali"})), std::vector<KeyId>{});
  EXPECT_EQ(ids_of(page({.name = "BUILD"})), (std::vector<KeyId>{second.id, first.id}));
  EXPECT_EQ(ids_of(page({.name = "%_"})), std::vector<KeyId>{second.id}) << "no pattern characters";
  EXPECT_EQ(ids_of(page({.user_id = "alice", .name = "server"})), std::vector<KeyId>{first.id});
  EXPECT_EQ(ids_of(page({.name = ""})).size(), 3U);
}

TEST_P(KeyStoreSuite, FiltersByStatusAsOfNow) {
  AccessKey active = new_key(), disabled = new_key(), expiring = new_key(), deleted = new_key();
  disabled.disabled = deleted.disabled = deleted.deleted = true;
  expiring.expires_at = disabled.expires_at = now() + std::chrono::seconds(10);
  put(active), put(disabled), put(expiring), put(deleted);
  const auto with = [&](KeyStatus status, UnixMillis at) {
    auto request = page({.status = status});
    request.now = at;
    return ids_of(request);
  };
  const UnixMillis later = *expiring.expires_at;
  EXPECT_EQ(with(KeyStatus::active, now()), (std::vector<KeyId>{expiring.id, active.id}));
  EXPECT_EQ(with(KeyStatus::expired, now()), std::vector<KeyId>{});
  EXPECT_EQ(with(KeyStatus::active, later), std::vector<KeyId>{active.id});
  EXPECT_EQ(with(KeyStatus::expired, later), std::vector<KeyId>{expiring.id});
  EXPECT_EQ(with(KeyStatus::disabled, later), std::vector<KeyId>{disabled.id});
  EXPECT_EQ(with(KeyStatus::deleted, later), std::vector<KeyId>{deleted.id});
}

TEST_P(KeyStoreSuite, AnIdempotencyRecordWithoutSeqTakesThatOfItsChange) {
  put(new_key());
  const AccessKey key = new_key();
  IdempotencyRecord record{"ops", "retry-1", std::string("\0digest", 7), key.id, 0, "kid-1", now()};
  ASSERT_TRUE(store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(put_with(transaction, key));
    return transaction.put_idempotency(record);
  }));
  record.seq = Seq{2};
  const auto found_by = [&](const char* actor, const char* name) {
    std::optional<IdempotencyRecord> found;
    EXPECT_TRUE(store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
      found = *transaction.find_idempotency(actor, name);
      return {};
    }));
    return found;
  };
  const auto found = found_by("ops", "retry-1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->request_digest, record.request_digest);
  EXPECT_EQ(found->key_id, record.key_id);
  EXPECT_EQ(found->seq, record.seq);
  EXPECT_EQ(found->kid, record.kid);
  EXPECT_EQ(found->created_at, record.created_at);
  EXPECT_FALSE(found_by("eve", "retry-1")) << "another actor's";
  EXPECT_FALSE(found_by("ops", "retry-2"));
}

TEST_P(KeyStoreSuite, OldIdempotencyRecordsAreForgottenInTime) {
  const auto put_record = [&](const char* name) {
    ASSERT_TRUE(store_->transact_and_wait([&](Transaction& transaction) {
      return transaction.put_idempotency({"ops", name, "d", new_key().id, 0, "kid", now()});
    }));
  };
  put_record("old");
  clock_.advance(std::chrono::hours(23));
  put_record("young");
  clock_.advance(std::chrono::hours(2));
  put_record("new");
  ASSERT_TRUE(store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
    EXPECT_FALSE(*transaction.find_idempotency("ops", "old"));
    EXPECT_TRUE(*transaction.find_idempotency("ops", "young"));
    EXPECT_TRUE(*transaction.find_idempotency("ops", "new"));
    return {};
  }));
}

}  // namespace
}  // namespace latchkey::store

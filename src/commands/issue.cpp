#include "commands/issue.hpp"

#include <algorithm>
#include <memory>

namespace latchkey::commands {
namespace {

using store::IdempotencyRecord;
using store::Transaction;

/// The newest key that signs here. Where another service's rotation has retired all of ours, a new one.
Result<std::string> signing_kid(Transaction& transaction, KeyRing& ring, const Author& author) {
  const auto keys = transaction.signing_keys();
  if (!keys) return keys.error();
  const SigningKey* newest = nullptr;
  for (const auto& key : *keys) {
    if (key.state != SigningKeyState::signing || !ring.holds(key.kid)) continue;
    if (newest == nullptr || newest->created_at < key.created_at) newest = &key;
  }
  if (newest != nullptr) return newest->kid;
  const auto fresh = ring.generate(author.now);
  if (!fresh) return fresh.error();
  if (const auto put = transaction.put_signing_key(*fresh, author.actor); !put) return put.error();
  return fresh->kid;
}

Result<void> refuse_retired(Transaction& transaction, const std::string& kid) {
  const auto keys = transaction.signing_keys();
  if (!keys) return keys.error();
  const bool counts = std::any_of(keys->begin(), keys->end(), [&kid](const SigningKey& key) {
    return key.kid == kid && key.state != SigningKeyState::retired;
  });
  if (counts) return {};
  return Error(ErrorCode::not_repeatable,
               "The signing key of the first answer has been retired since; rotate the access key for a new one.");
}

Result<Issued> repeat(Transaction& transaction, const IdempotencyRecord& record) {
  const auto change = transaction.find_change(record.seq);
  if (!change) return change.error();
  const auto* key = *change ? std::get_if<AccessKey>(&(*change)->row) : nullptr;
  if (key == nullptr) return Error(ErrorCode::internal, "", "an idempotency record names no change of an access key");
  if (const auto counts = refuse_retired(transaction, record.kid); !counts) return counts.error();
  Issued issued{*key, record.kid, {{{}, record.seq}, (*change)->nonce}};
  issued.key.version = Version::made_by(record.seq);
  return issued;
}

Result<std::optional<Issued>> find_earlier(Transaction& transaction, const Author& author, const IdempotencyKey& key) {
  const auto record = transaction.find_idempotency(author.actor, key.key);
  if (!record) return record.error();
  if (!*record) return std::optional<Issued>();
  const std::string& recorded = (*record)->request_digest;
  if (recorded != key.request_digest && recorded != key.earlier_digest) {
    return Error(ErrorCode::idempotency_mismatch, "this Idempotency-Key came with another request before");
  }
  auto issued = repeat(transaction, **record);
  if (!issued) return issued.error();
  return std::optional(std::move(*issued));
}

Result<void> remember(Transaction& transaction, const Author& author, const IdempotencyKey& key, const Issued& issued) {
  return transaction.put_idempotency(
      {author.actor, key.key, key.request_digest, issued.key.id, issued.key.version.change(), issued.kid, author.now});
}

Result<Issued> issue_in(Transaction& transaction, KeyRing& ring, const Author& author,
                        const std::optional<IdempotencyKey>& idempotency,
                        const std::function<Result<AccessKey>(Transaction&)>& make) {
  if (idempotency) {
    auto earlier = find_earlier(transaction, author, *idempotency);
    if (!earlier) return earlier.error();
    if (*earlier) return std::move(**earlier);
  }
  auto kid = signing_kid(transaction, ring, author);
  if (!kid) return kid.error();
  auto key = make(transaction);
  if (!key) return key.error();
  Issued issued{std::move(*key), std::move(*kid), {}};
  if (!idempotency) return issued;
  const auto remembered = remember(transaction, author, *idempotency, issued);
  if (!remembered) return remembered.error();
  return issued;
}

}  // namespace

void issue(store::KeyStore& store, KeyRing& ring, const Author& author,
           const std::optional<IdempotencyKey>& idempotency, std::function<Result<AccessKey>(store::Transaction&)> make,
           IssuedDone done) {
  auto out = std::make_shared<Issued>();
  store.transact(
      [out, &ring, author, idempotency, make = std::move(make)](Transaction& transaction) -> Result<void> {
        auto issued = issue_in(transaction, ring, author, idempotency, make);
        if (!issued) return issued.error();
        auto terms = terms_of(transaction, issued->key);
        if (!terms) return terms.error();
        issued->terms = std::move(*terms);
        *out = std::move(*issued);
        return transaction.note(author.note);
      },
      [out, done = std::move(done)](Result<LogEnd> commit) mutable {
        if (!commit) return done(commit.error());
        if (out->commit.position.seq == Seq{}) out->commit = *commit;
        out->commit.position.epoch = commit->position.epoch;
        done(std::move(*out));
      });
}

}  // namespace latchkey::commands

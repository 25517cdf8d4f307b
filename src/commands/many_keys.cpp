#include "commands/many_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "jwt/digest.hpp"

namespace latchkey::commands {
namespace {

constexpr std::size_t ids_a_page = 10'000;

/// One after the other; lives as long as one of its commits is under way.
struct Run : std::enable_shared_from_this<Run> {
  Run(store::KeyStore& to, store::ManyKeys what, store::AuditNote beside, std::vector<KeyId> all,
      ManyKeysDone when_done)
      : store(to), change(std::move(what)), note(std::move(beside)), keys(std::move(all)), done(std::move(when_done)) {
    answer.matched = keys.size();
  }

  // With no keys at all too: the answer names a position.
  void next() {
    const auto part = std::span(keys).subspan(begun, std::min(keys_a_commit, keys.size() - begun));
    begun += part.size();
    store.transact(
        [self = shared_from_this(), part](store::Transaction& transaction) -> Result<void> {
          const auto start = std::chrono::steady_clock::now();
          const auto changed = transaction.change_keys(self->change, part);
          if (!changed) return changed.error();
          self->took = std::chrono::steady_clock::now() - start;
          self->changed_now = *changed;
          return transaction.note(self->note);
        },
        [self = shared_from_this()](const Result<LogEnd>& commit) { self->committed(commit); });
  }

  void committed(const Result<LogEnd>& commit) {
    if (!commit) return done(commit.error(), answer);
    answer.changed += changed_now;
    answer.commit = *commit;
    if (begun == keys.size()) return done({}, answer);
    keys_a_commit = keys_of_next_commit(keys_a_commit, took);
    next();
  }

  store::KeyStore& store;
  const store::ManyKeys change;
  const store::AuditNote note;
  const std::vector<KeyId> keys;
  ManyKeysDone done;
  std::size_t begun = 0;          // keys that are in a commit that was begun
  std::uint64_t changed_now = 0;  // in the last one
  Duration took{};                // of it
  std::size_t keys_a_commit = first_keys_a_commit;
  ManyKeysAnswer answer;
};

store::KeyFilter filter_of(const KeySet& set) {
  return {.user_id = set.user_id, .selector = set.selector, .without_deleted = true};
}

}  // namespace

Result<std::vector<KeyId>> keys_of(store::KeyStore& store, const KeySet& set, UnixMillis now) {
  std::vector<KeyId> keys;
  store::KeyPageRequest request{filter_of(set), ids_a_page, {}, now, store::KeyOrder::oldest_first};
  for (;;) {
    const auto page = store.list_key_ids(request);
    if (!page) return page.error();
    keys.insert(keys.end(), page->begin(), page->end());
    if (page->size() < ids_a_page) return keys;
    request.after = keys.back();
  }
}

std::size_t keys_of_next_commit(std::size_t keys, Duration took) {
  const auto per_key =
      std::max<std::int64_t>(1, took.count() / static_cast<std::int64_t>(std::max(keys, std::size_t{1})));
  const auto fitting = static_cast<std::size_t>(Duration(commit_time).count() / per_key);
  return std::clamp(std::min(fitting, 2 * keys), least_keys_a_commit, store::max_keys_a_commit);
}

std::string confirmation_of(std::span<const KeyId> keys) {
  std::string bytes;
  for (const KeyId& id : keys) {
    bytes.append(reinterpret_cast<const char*>(id.bytes().data()), id.bytes().size());
  }
  const auto digest = jwt::digest_of(bytes);
  return fmt::format("{:016x}{:016x}", digest.words[0], digest.words[1]);
}

void change_many(store::KeyStore& store, store::KeyAction action, const KeySet& set, std::vector<KeyId> keys,
                 const Author& author, ManyKeysDone done) {
  std::make_shared<Run>(store, store::ManyKeys{action, filter_of(set), author.now, author.actor}, author.note,
                        std::move(keys), std::move(done))
      ->next();
}

}  // namespace latchkey::commands

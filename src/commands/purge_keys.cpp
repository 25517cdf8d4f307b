#include "commands/purge_keys.hpp"

#include <memory>

namespace latchkey::commands {
namespace {

constexpr std::size_t purged_a_commit = 250;

/// One commit after the other; lives as long as one of them is under way.
struct PurgeRun : std::enable_shared_from_this<PurgeRun> {
  PurgeRun(store::KeyStore& to, store::Purge what, PurgeDone when_done)
      : store(to), purge(std::move(what)), done(std::move(when_done)) {}

  void next() {
    store.transact(
        [self = shared_from_this()](store::Transaction& transaction) -> Result<void> {
          const auto purged = transaction.purge_keys(self->purge);
          if (!purged) return purged.error();
          self->purged_now = *purged;
          return {};
        },
        [self = shared_from_this()](const Result<LogEnd>& commit) { self->committed(commit); });
  }

  void committed(const Result<LogEnd>& commit) {
    if (!commit) return done(commit.error(), answer);
    answer.purged += purged_now;
    answer.commit = *commit;
    if (purged_now < purge.most) return done({}, answer);
    next();
  }

  store::KeyStore& store;
  const store::Purge purge;
  PurgeDone done;
  std::uint64_t purged_now = 0;  // in the last commit
  PurgeAnswer answer;
};

}  // namespace

void purge_keys(store::KeyStore& store, UnixMillis deleted_before, const Author& author, PurgeDone done) {
  const store::Purge purge{deleted_before, author.now, author.actor, purged_a_commit};
  std::make_shared<PurgeRun>(store, purge, std::move(done))->next();
}

void count_purgeable(store::KeyStore& store, UnixMillis deleted_before,
                     std::move_only_function<void(Result<std::uint64_t>)> done) {
  const auto count = std::make_shared<std::uint64_t>(0);
  store.transact(
      [count, deleted_before](store::Transaction& transaction) -> Result<void> {
        const auto found = transaction.purgeable_keys(deleted_before);
        if (!found) return found.error();
        *count = *found;
        return {};
      },
      [count, done = std::move(done)](const Result<LogEnd>& commit) mutable {
        done(commit ? Result<std::uint64_t>(*count) : commit.error());
      });
}

}  // namespace latchkey::commands

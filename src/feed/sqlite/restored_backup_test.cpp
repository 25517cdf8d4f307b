// A backup is put back, in each way there is, at each position of a history: whatever the store's clients and a replica
// have seen of an epoch stays true of it.

#include <gtest/gtest.h>

#include <cstdlib>

#include "feed/testing/shown_history.hpp"
#include "feed/testing/sqlite_world.hpp"

namespace latchkey::feed {
namespace {

namespace fs = std::filesystem;

struct Way {
  std::string name;
  /// Puts `backup` in the place of the world's database.
  std::function<void(SqliteWorld&, const fs::path& backup)> restore;
};
void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

/// The inode stays. By another process: closing a descriptor here would drop the locks of SQLite.
void copy_over(const fs::path& from, const fs::path& to) {
  ASSERT_EQ(std::system(("cp '" + from.string() + "' '" + to.string() + "'").c_str()), 0);
}

void stopped(SqliteWorld& world, const std::function<void()>& then) {
  world.close_store();
  then();
  world.open_store();
}

const Way ways[] = {
    {"RestoredWhileRunning", [](SqliteWorld& world, const fs::path& backup) { world.restore_from(backup); }},
    {"StoppedAndRestored",
     [](SqliteWorld& world, const fs::path& backup) { stopped(world, [&] { world.restore_from(backup); }); }},
    {"StoppedAndCopied",
     [](SqliteWorld& world, const fs::path& backup) { stopped(world, [&] { copy_over(backup, world.path()); }); }},
    {"StoppedAndMovedIn",
     [](SqliteWorld& world, const fs::path& backup) { stopped(world, [&] { fs::rename(backup, world.path()); }); }},
    {"CopiedWhileRunning", [](SqliteWorld& world, const fs::path& backup) { copy_over(backup, world.path()); }},
    {"MovedInWhileRunning", [](SqliteWorld& world, const fs::path& backup) { fs::rename(backup, world.path()); }},
    {"RestoredWithoutItsWitness",
     [](SqliteWorld& world, const fs::path& backup) {
       stopped(world, [&] {
         world.restore_from(backup);
         fs::remove(store::Witness::path_of(world.path()));
       });
     }},
};

class RestoredBackup : public testing::TestWithParam<Way> {
 protected:
  static constexpr std::uint64_t length = 4;

  /// By a command or by hand in the shell; the store is not told of the latter, the replica sees it first.
  void change(SqliteWorld& world, bool by_hand) {
    AccessKey key;
    key.id = KeyId::generate(clock_.wall(), random_);
    key.user_id = "alice";
    key.updated_by = "ops";
    if (by_hand) {
      world.execute(
          "INSERT INTO access_keys (key_id, user_id, requests_per_minute, issued_at, created_at, updated_at," +
          std::string(" updated_by) VALUES ('") + key.id.to_string() + "', 'bob', 60, 1, 1, 1, 'hand')");
      return history_.look_at_feed(world);
    }
    const auto put = [&](store::Transaction& transaction) -> Result<void> {
      const auto done = transaction.put_key(key, "create");
      return done ? Result<void>() : done.error();
    };
    while (!world.store().transact_and_wait(put)) continue;  // refused while the store finds its file replaced
  }

  SystemClock clock_;
  SystemRandom random_;
  ShownHistory history_;
};

TEST_P(RestoredBackup, AtEachPositionLeavesTrueWhatWasSeenOfItsEpoch) {
  for (const bool by_hand : {false, true}) {
    for (std::uint64_t kept = 0; kept <= length; ++kept) {
      SCOPED_TRACE(testing::Message() << "restored at " << kept << " of " << length << (by_hand ? ", by hand" : ""));
      SqliteWorld world;
      history_ = {};
      history_.look(world);
      fs::path backup;
      for (std::uint64_t seq = 0; seq <= length; ++seq) {
        if (seq == kept) backup = world.backup_file();
        if (seq < length) change(world, by_hand);
        if (seq % 2 == 0) by_hand ? history_.look_at_feed(world) : history_.look(world);
      }
      GetParam().restore(world, backup);
      for (std::uint64_t seq = 0; seq <= length - kept; ++seq) {
        history_.look(world);
        change(world, false);
      }
      history_.look(world);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, RestoredBackup, testing::ValuesIn(ways), [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace latchkey::feed

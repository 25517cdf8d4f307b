#include "store/sqlite/sqlite_store.hpp"

#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <system_error>

#include "base/regular_file.hpp"
#include "store/sqlite/audit.hpp"
#include "store/sqlite/group_commit.hpp"
#include "store/sqlite/notice_queries.hpp"
#include "store/sqlite/queries.hpp"
#include "store/sqlite/reader_pool.hpp"
#include "store/sqlite/store_file.hpp"
#include "store/sqlite/terms_queries.hpp"

namespace latchkey::store {
namespace {

Error cannot_create(const std::filesystem::path& path, int error) {
  return Error(ErrorCode::unavailable, "the database cannot be created",
               path.string() + ": " + std::generic_category().message(error));
}

// SQLite gives -wal and -shm the mode of the database file, so that alone decides which users may read keys.
Result<void> make_private_file(const std::filesystem::path& path) {
  const auto directory = std::filesystem::absolute(path).parent_path();
  std::error_code error;
  std::filesystem::create_directories(directory.parent_path(), error);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return cannot_create(directory, errno);
  // Only a file made just now is closed here: closing any other would drop the locks of SQLite in this process.
  const auto file = open_regular(path, O_RDWR | O_CREAT | O_EXCL);
  if (file || file.error().code == ErrorCode::conflict) return {};
  return Error(ErrorCode::unavailable, "the database cannot be created", file.error().detail);
}

class SqliteStore final : public KeyStore {
 public:
  SqliteStore(StoreFile file, Clock& clock)
      : readers_(file.path(), file.witness(), [this] { look_again(); }), writer_(std::move(file), readers_, clock) {}

  void transact(Work work, Done done) override { writer_.submit(std::move(work), std::move(done)); }
  Result<std::optional<AccessKey>> find_key(KeyId id) override {
    return readers_.with([&](Database& reader) { return store::find_key(reader, id); });
  }
  Result<KeyPage> list_keys(const KeyPageRequest& request) override {
    return readers_.with([&](Database& reader) { return store::list_keys(reader, request); });
  }
  Result<std::vector<KeyId>> list_key_ids(const KeyPageRequest& request) override {
    return readers_.with([&](Database& reader) { return store::list_key_ids(reader, request); });
  }
  Result<std::vector<SigningKey>> signing_keys() override {
    return readers_.with([](Database& reader) { return store::signing_keys(reader); });
  }
  Result<std::optional<Plan>> find_plan(std::string_view name) override {
    return readers_.with([&](Database& reader) { return store::find_plan(reader, name); });
  }
  Result<std::optional<User>> find_user(std::string_view user_id) override {
    return readers_.with([&](Database& reader) { return store::find_user(reader, user_id); });
  }
  Result<PlanPage> list_plans(const NamePageRequest& request) override {
    return readers_.with([&](Database& reader) { return store::list_plans(reader, request); });
  }
  Result<UserPage> list_users(const NamePageRequest& request) override {
    return readers_.with([&](Database& reader) { return store::list_users(reader, request); });
  }
  Result<PlanUses> plan_uses(std::string_view name) override {
    return readers_.with([&](Database& reader) { return store::plan_uses(reader, name); });
  }
  Result<std::vector<Notice>> notices_after(std::uint64_t after, std::size_t limit) override {
    return readers_.with([&](Database& reader) { return store::notices_after(reader, after, limit); });
  }
  Result<std::vector<Change>> changes_after(Seq after, std::size_t limit) override {
    return readers_.with([&](Database& reader) { return store::changes_after(reader, after, limit); });
  }
  Result<AuditPage> audit(const AuditQuery& query) override {
    return readers_.with([&](Database& reader) { return store::audit(reader, query); });
  }
  Result<Position> position() override {
    const auto end = readers_.with([](Database& reader) { return log_end(reader); });
    if (!end) return end.error();
    return end->position;
  }

 private:
  // Any work makes the writer look which file the path names, and follow it. One at a time: reads that fail are many,
  // and the queue is for commands.
  void look_again() {
    if (looking_.exchange(true)) return;
    writer_.submit([](Transaction&) { return Result<void>(); }, [this](const Result<LogEnd>&) { looking_ = false; });
  }

  std::atomic<bool> looking_ = false;
  ReaderPool readers_;
  GroupCommit writer_;
};

}  // namespace

Result<std::unique_ptr<KeyStore>> open_sqlite(const std::filesystem::path& path, Clock& clock, Random& random) {
  if (auto made = make_private_file(path); !made) return made.error();
  auto file = StoreFile::open(path, random);
  if (!file) {
    Error error = file.error();
    return Error(error.code, error.detail, path.string() + ": " + error.internal);
  }
  return std::unique_ptr<KeyStore>(std::make_unique<SqliteStore>(std::move(*file), clock));
}

}  // namespace latchkey::store

#include "store/postgres/postgres_store.hpp"

#include "store/postgres/audit.hpp"
#include "store/postgres/life.hpp"
#include "store/postgres/notice_queries.hpp"
#include "store/postgres/queries.hpp"
#include "store/postgres/reader_pool.hpp"
#include "store/postgres/schema.hpp"
#include "store/postgres/terms_queries.hpp"
#include "store/postgres/writer.hpp"

namespace latchkey::store {
namespace postgres {
namespace {

class PostgresStore final : public KeyStore {
 public:
  PostgresStore(const Url& url, std::unique_ptr<Connection> connection, Clock& clock)
      : readers_(url), writer_(url, std::move(connection), clock) {}

  void transact(Work work, Done done) override { writer_.submit(std::move(work), std::move(done)); }
  Result<std::optional<AccessKey>> find_key(KeyId id) override {
    return readers_.with([&](Connection& reader) { return postgres::find_key(reader, id); });
  }
  Result<KeyPage> list_keys(const KeyPageRequest& request) override {
    return readers_.with([&](Connection& reader) { return postgres::list_keys(reader, request); });
  }
  Result<std::vector<KeyId>> list_key_ids(const KeyPageRequest& request) override {
    return readers_.with([&](Connection& reader) { return postgres::list_key_ids(reader, request); });
  }
  Result<std::vector<SigningKey>> signing_keys() override {
    return readers_.with([](Connection& reader) { return postgres::signing_keys(reader); });
  }
  Result<std::optional<Plan>> find_plan(std::string_view name) override {
    return readers_.with([&](Connection& reader) { return postgres::find_plan(reader, name); });
  }
  Result<std::optional<User>> find_user(std::string_view user_id) override {
    return readers_.with([&](Connection& reader) { return postgres::find_user(reader, user_id); });
  }
  Result<PlanPage> list_plans(const NamePageRequest& request) override {
    return readers_.with([&](Connection& reader) { return postgres::list_plans(reader, request); });
  }
  Result<UserPage> list_users(const NamePageRequest& request) override {
    return readers_.with([&](Connection& reader) { return postgres::list_users(reader, request); });
  }
  Result<PlanUses> plan_uses(std::string_view name) override {
    return readers_.with([&](Connection& reader) { return postgres::plan_uses(reader, name); });
  }
  Result<std::vector<Notice>> notices_after(std::uint64_t after, std::size_t limit) override {
    return readers_.with([&](Connection& reader) { return postgres::notices_after(reader, after, limit); });
  }
  Result<std::vector<Change>> changes_after(Seq after, std::size_t limit) override {
    return readers_.with([&](Connection& reader) { return postgres::changes_after(reader, after, limit); });
  }
  Result<AuditPage> audit(const AuditQuery& query) override {
    return readers_.with([&](Connection& reader) { return postgres::audit(reader, query); });
  }
  Result<Position> position() override {
    return readers_.with([](Connection& reader) { return postgres::position(reader); });
  }

 private:
  ReaderPool readers_;
  Writer writer_;
};

}  // namespace
}  // namespace postgres

Result<std::unique_ptr<KeyStore>> open_postgres(std::string_view text, Clock& clock) {
  const auto url = postgres::Url::parse(text);
  if (!url) return url.error();
  auto connection = postgres::Connection::open(*url, postgres::Server::primary);
  if (!connection) return connection.error();
  if (auto migrated = postgres::migrate(**connection); !migrated) return migrated.error();
  return std::unique_ptr<KeyStore>(std::make_unique<postgres::PostgresStore>(*url, std::move(*connection), clock));
}

Result<VerifiedChain> verify_postgres_chain(std::string_view text) {
  const auto url = postgres::Url::parse(text);
  if (!url) return url.error();
  auto connection = postgres::Connection::open(*url, postgres::Server::any);
  if (!connection) return connection.error();
  if (auto begun = (*connection)->execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); !begun)
    return begun.error();
  const auto there = (*connection)->query("SELECT to_regclass('chain') IS NOT NULL");
  if (!there) return there.error();
  if (!(*there)[0].boolean(0)) {
    return Error(ErrorCode::conflict, "the audit trail has no chain yet: start the management service of this release");
  }
  const auto end = postgres::log_end(**connection);
  if (!end) return end.error();
  const auto report = postgres::verify_chain(**connection);
  if (!report) return report.error();
  return VerifiedChain{*report, end->position.epoch};
}

Result<void> check_postgres_url(std::string_view text) {
  const auto url = postgres::Url::parse(text);
  return url ? Result<void>() : url.error();
}

std::string postgres_place(std::string_view text) {
  const auto url = postgres::Url::parse(text);
  return url ? url->place() : "postgresql";
}

}  // namespace latchkey::store

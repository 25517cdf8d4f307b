#include "base/testing/temporary_directory.hpp"
#include "store/memory/memory_store.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/testing/audit_suite.hpp"
#include "store/testing/key_store_suite.hpp"
#include "store/testing/terms_suite.hpp"
#include "store/testing/test_server.hpp"

namespace latchkey::store {
namespace {

std::shared_ptr<KeyStore> make_memory(Clock& clock, Random& random) {
  return std::make_shared<MemoryStore>(clock, random);
}

std::shared_ptr<KeyStore> make_sqlite(Clock& clock, Random& random) {
  auto directory = std::make_shared<TemporaryDirectory>();
  auto opened = open_sqlite(*directory / "latchkey.db", clock, random);
  if (!opened) throw std::runtime_error(opened.error().detail + ": " + opened.error().internal);
  std::shared_ptr<KeyStore> store = std::move(*opened);
  return {store.get(), [directory, store](KeyStore*) mutable { store.reset(); }};
}

std::shared_ptr<KeyStore> make_postgres(Clock& clock, Random&) {
  auto& server = postgres::TestServer::shared();
  auto opened = open_postgres(server.url(server.create_database()), clock);
  if (!opened) throw std::runtime_error(opened.error().detail + ": " + opened.error().internal);
  return std::move(*opened);
}

const auto engines = testing::Values(StoreEngine{"Memory", make_memory}, StoreEngine{"Sqlite", make_sqlite},
                                     StoreEngine{"Postgres", make_postgres});
std::string name_of(const testing::TestParamInfo<StoreEngine>& test) { return test.param.name; }

INSTANTIATE_TEST_SUITE_P(Engines, KeyStoreSuite, engines, name_of);
INSTANTIATE_TEST_SUITE_P(Engines, TermsSuite, engines, name_of);
INSTANTIATE_TEST_SUITE_P(Engines, AuditSuite, engines, name_of);

}  // namespace
}  // namespace latchkey::store

#include "store/sqlite/moved.hpp"

#include <fmt/format.h>

namespace latchkey::store {

Result<void> check_not_moved(Database& database) {
  auto statement = database.prepare("SELECT value FROM meta WHERE name = 'moved_to'");
  if (!statement) return statement.error();
  const int code = (*statement)->step();
  if (code == SQLITE_DONE) return {};
  if (code != SQLITE_ROW) return database.error(code);
  return Error(
      ErrorCode::conflict,
      fmt::format("this store moved to {}: set LATCHKEY_STORE to that. If nothing was changed there, the move can "
                  "be taken back: sqlite3 latchkey.db \"DELETE FROM meta WHERE name = 'moved_to'\"",
                  (*statement)->text(0)));
}

Result<void> mark_moved(Database& database, std::string_view place) {
  auto statement = database.prepare("INSERT INTO meta (name, value) VALUES ('moved_to', ?)");
  if (!statement) return statement.error();
  (*statement)->bind(1, place);
  return database.run(**statement);
}

}  // namespace latchkey::store

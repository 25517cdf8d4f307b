// Notices, and how far those that make and send them have come.

#include "store/postgres/notice_queries.hpp"
#include "store/postgres/postgres_transaction.hpp"
#include "store/postgres/rows.hpp"

namespace latchkey::store::postgres {

Result<std::vector<Notice>> notices_after(Connection& connection, std::uint64_t after, std::size_t limit) {
  const auto rows = connection.query(
      "SELECT id, kind, at, key_id, user_id, about FROM notices WHERE id > $1::bigint ORDER BY id LIMIT $2::bigint",
      Parameters().add(static_cast<std::int64_t>(after)).add(static_cast<std::int64_t>(limit)));
  if (!rows) return rows.error();
  std::vector<Notice> notices;
  for (int i = 0; i < rows->count(); ++i) {
    const Row row = (*rows)[i];
    notices.push_back({static_cast<std::uint64_t>(row.integer(0)), std::string(row.text(1)), UnixMillis{row.integer(2)},
                       KeyId::parse(row.text(3)), std::string(row.text(4)), row.integer(5)});
  }
  return notices;
}

// The log's lock is held, so ids come in the order of commits, and a reader that has seen one has seen all before it.
Result<std::uint64_t> PostgresTransaction::add_notices(std::span<const Notice> notices) {
  std::uint64_t added = 0;
  for (const Notice& notice : notices) {
    Parameters values;
    values.add(notice.kind).add(notice.at.count).add(notice.key_id ? notice.key_id->to_string() : "");
    values.add(notice.user_id).add(notice.about);
    const auto row = connection_.query(
        "INSERT INTO notices (id, kind, at, key_id, user_id, about)"
        " VALUES (greatest((SELECT coalesce(max(id), 0) FROM notices), (SELECT last_id FROM notice_end)) + 1,"
        "   $1, $2::bigint, $3, $4, $5::bigint) ON CONFLICT (about, kind, key_id, user_id) DO NOTHING RETURNING id",
        values);
    if (!row) return row.error();
    added += static_cast<std::uint64_t>(row->count());
  }
  if (added > 0) {
    const auto end = connection_.query("UPDATE notice_end SET last_id = (SELECT max(id) FROM notices)", Parameters());
    if (!end) return end.error();
  }
  const auto forgotten = connection_.query(
      "DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE at < $1::bigint ORDER BY id LIMIT $2::bigint)",
      Parameters().add(now_.count - notice_lifetime_ms).add(static_cast<std::int64_t>(2 * notices.size())));
  if (!forgotten) return forgotten.error();
  return added;
}

Result<std::vector<ExpiringKey>> PostgresTransaction::keys_expiring(UnixMillis after, UnixMillis until) {
  const auto rows = connection_.query(
      "SELECT key_id, user_id, expires_at FROM access_keys WHERE NOT deleted AND NOT disabled"
      " AND expires_at > $1::bigint AND expires_at <= $2::bigint ORDER BY key_id",
      Parameters().add(after.count).add(until.count));
  if (!rows) return rows.error();
  std::vector<ExpiringKey> keys;
  for (int i = 0; i < rows->count(); ++i) {
    const Row row = (*rows)[i];
    if (const auto id = KeyId::parse(row.text(0))) keys.push_back({*id, std::string(row.text(1)), {row.integer(2)}});
  }
  return keys;
}

Result<std::uint64_t> PostgresTransaction::last_notice() {
  const auto rows = connection_.query("SELECT last_id FROM notice_end");
  if (!rows) return rows.error();
  return static_cast<std::uint64_t>((*rows)[0].integer(0));
}

Result<std::optional<std::int64_t>> PostgresTransaction::lease_mark(const MarkLease& lease) {
  Parameters values;
  values.add(lease.name).add(lease.otherwise).add(lease.owner).add(lease.until.count).add(lease.now.count);
  const auto rows = connection_.query(
      "INSERT INTO notice_marks (name, value, owner, until) VALUES ($1, $2::bigint, $3, $4::bigint)"
      " ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until"
      " WHERE notice_marks.owner = excluded.owner OR notice_marks.until < $5::bigint RETURNING value",
      values);
  if (!rows) return rows.error();
  if (rows->count() == 0) return std::optional<std::int64_t>();
  return std::optional((*rows)[0].integer(0));
}

Result<void> PostgresTransaction::set_mark(std::string_view name, std::int64_t value) {
  const auto set = connection_.query("UPDATE notice_marks SET value = $2::bigint WHERE name = $1",
                                     Parameters().add(name).add(value));
  return set ? Result<void>() : set.error();
}

}  // namespace latchkey::store::postgres

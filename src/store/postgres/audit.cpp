#include "store/postgres/audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "store/postgres/queries.hpp"
#include "store/postgres/rows.hpp"

namespace latchkey::embedded {
extern const std::string_view postgres_audit;
}

namespace latchkey::store::postgres {
namespace {

constexpr std::string_view note_columns = "address, user_agent, reason, role, application";

std::optional<std::string> shown(const std::string& text) {
  return text.empty() || text.contains('\0') ? std::nullopt : std::optional(text);
}

AuditNote read_note(const Row& row, int at) {
  return {std::string(row.text(at)), std::string(row.text(at + 1)), std::string(row.text(at + 2)),
          std::string(row.text(at + 3)), std::string(row.text(at + 4))};
}

std::int64_t number(Seq seq) { return static_cast<std::int64_t>(seq.value); }
Seq seq_at(const Row& row, int column) { return {static_cast<std::uint64_t>(row.integer(column))}; }

using Notes = std::map<Seq, AuditNote>;

/// Of changes from `first` to `last`.
Result<Notes> notes_between(Connection& connection, Seq first, Seq last) {
  const auto rows = connection.query(fmt::format("SELECT seq, {} FROM audit WHERE seq BETWEEN $1 AND $2", note_columns),
                                     Parameters().add(number(first)).add(number(last)));
  if (!rows) return rows.error();
  Notes notes;
  for (int i = 0; i < rows->count(); ++i) notes[seq_at((*rows)[i], 0)] = read_note((*rows)[i], 1);
  return notes;
}

template <std::size_t size>
std::array<std::uint8_t, size> array_of(const std::string& octets) {
  std::array<std::uint8_t, size> array{};
  std::copy_n(octets.begin(), std::min(size, octets.size()), array.begin());
  return array;
}

ChainLink read_link(const Row& row) {
  ChainLink link{.seq = seq_at(row, 0), .salt = {}};
  if (!row.is_null(1)) link.salt = array_of<16>(row.bytes(1));
  link.personal = array_of<32>(row.bytes(2));
  link.hash = array_of<32>(row.bytes(3));
  return link;
}

/// Links as arrays, which one statement takes apart.
class LinkArrays {
 public:
  void add(const ChainLink& link) {
    const char* comma = seqs_.empty() ? "" : ",";
    seqs_ += fmt::format("{}{}", comma, link.seq.value);
    add(salts_, comma, *link.salt);
    add(personals_, comma, link.personal);
    add(hashes_, comma, link.hash);
  }
  Result<void> insert(Connection& connection) const {
    if (seqs_.empty()) return {};
    const auto array = [](const std::string& elements) { return "{" + elements + "}"; };
    const auto inserted = connection.query(
        "INSERT INTO chain (seq, salt, personal, hash)"
        " SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bytea[])",
        Parameters().add(array(seqs_)).add(array(salts_)).add(array(personals_)).add(array(hashes_)));
    return inserted ? Result<void>() : inserted.error();
  }

 private:
  static void add(std::string& to, const char* comma, std::span<const std::uint8_t> octets) {
    to += fmt::format("{}\"\\\\x", comma);
    for (const auto octet : octets) to += fmt::format("{:02x}", octet);
    to += '"';
  }

  std::string seqs_, salts_, personals_, hashes_;
};

struct SeqRange {
  std::int64_t first = 1;
  std::int64_t last = INT64_MAX;
};

Result<std::optional<std::int64_t>> seq_by_time(Connection& connection, std::string_view sql, UnixMillis time) {
  const auto rows = connection.query(sql, Parameters().add(time.count).add(most_out_of_order));
  if (!rows) return rows.error();
  return (*rows)[0].optional_integer(0);
}

Result<SeqRange> range_of(Connection& connection, const AuditQuery& query) {
  SeqRange range;
  if (query.since) {
    const auto first = seq_by_time(
        connection, "SELECT min(seq) FROM (SELECT seq FROM changes WHERE at >= $1 ORDER BY at, seq LIMIT $2) AS those",
        *query.since);
    if (!first) return first.error();
    range.first = first->value_or(INT64_MAX);
  }
  if (query.until) {
    const auto last = seq_by_time(
        connection,
        "SELECT max(seq) FROM (SELECT seq FROM changes WHERE at < $1 ORDER BY at DESC, seq DESC LIMIT $2) AS those",
        *query.until);
    if (!last) return last.error();
    range.last = last->value_or(0);
  }
  if (!query.after) return range;
  if (query.newest_first) {
    range.last = std::min(range.last, number(*query.after) - 1);
  } else {
    range.first = std::max(range.first, number(*query.after) + 1);
  }
  return range;
}

std::string audit_sql(const AuditQuery& query) {
  // The parameters are all there in each; `IS NOT NULL` only gives them their types.
  std::string sql = fmt::format(
      "SELECT {} FROM changes WHERE seq BETWEEN $1 AND $2 AND $4::text IS NOT NULL AND $5::text IS NOT NULL"
      " AND $6::text IS NOT NULL AND $7::bigint IS NOT NULL AND $8::bigint IS NOT NULL",
      change_columns);
  if (query.key_id) sql += " AND key_id = $4::uuid";
  if (query.user_id) sql += " AND user_id COLLATE \"C\" = $5";
  if (query.actor) sql += " AND actor COLLATE \"C\" = $6";
  if (query.since) sql += " AND at >= $7";
  if (query.until) sql += " AND at < $8";
  return sql + (query.newest_first ? " ORDER BY seq DESC LIMIT $3::bigint" : " ORDER BY seq LIMIT $3::bigint");
}

std::string_view row_condition(const Change& change) {
  if (std::holds_alternative<AccessKey>(change.row)) return "key_id = $1::text::uuid";
  if (std::holds_alternative<SigningKey>(change.row)) return "kid COLLATE \"C\" = $1";
  if (std::holds_alternative<Plan>(change.row)) return "kind = 'plan' AND name COLLATE \"C\" = $1";
  return "kind = 'user' AND user_id COLLATE \"C\" = $1";
}

std::string row_name(const Change& change) {
  if (const auto* key = std::get_if<AccessKey>(&change.row)) return key->id.to_string();
  if (const auto* key = std::get_if<SigningKey>(&change.row)) return key->kid;
  if (const auto* plan = std::get_if<Plan>(&change.row)) return plan->name;
  return std::get<User>(change.row).user_id;
}

Result<std::optional<Change>> change_before(Connection& connection, const Change& change) {
  const auto rows =
      connection.query(fmt::format("SELECT {} FROM changes WHERE {} AND seq < $2 ORDER BY seq DESC LIMIT 1",
                                   change_columns, row_condition(change)),
                       Parameters().add(row_name(change)).add(number(change.seq)));
  if (!rows) return rows.error();
  if (rows->count() == 0) return std::optional<Change>();
  auto before = read_change((*rows)[0]);
  if (!before) return before.error();
  return std::optional<Change>(std::move(*before));
}

}  // namespace

Result<void> make_audit_tables(Connection& connection) {
  const auto there = connection.query("SELECT to_regclass('chain') IS NOT NULL");
  if (!there) return there.error();
  if ((*there)[0].boolean(0)) return {};
  return connection.execute(std::string(embedded::postgres_audit));
}

Result<void> put_notes(Connection& connection, Seq after, const AuditNote& note) {
  if (note == AuditNote()) return {};
  Parameters values;
  values.add(number(after)).add_or_null(shown(note.address)).add_or_null(shown(note.user_agent));
  values.add_or_null(shown(note.reason)).add_or_null(shown(note.role)).add_or_null(shown(note.application));
  const auto put = connection.query(
      "INSERT INTO audit (seq, address, user_agent, reason, role, application)"
      " SELECT seq, $2, $3, $4, $5, $6 FROM changes WHERE seq > $1"
      " ON CONFLICT (seq) DO UPDATE SET address = excluded.address, user_agent = excluded.user_agent,"
      " reason = excluded.reason, role = excluded.role, application = excluded.application",
      values);
  return put ? Result<void>() : put.error();
}

Result<bool> has_unlinked(Connection& connection) {
  const auto rows = connection.query("SELECT EXISTS (SELECT FROM changes WHERE seq > (SELECT max(seq) FROM chain))");
  if (!rows) return rows.error();
  return (*rows)[0].boolean(0);
}

Result<bool> link_changes(Connection& connection, Random& random) {
  constexpr std::size_t most = 10'000;
  const auto rows = connection.query("SELECT seq, salt, personal, hash FROM chain ORDER BY seq DESC LIMIT 1");
  if (!rows) return rows.error();
  if (rows->count() == 0) return Error(ErrorCode::conflict, "the audit trail has no chain", "the table chain is empty");
  ChainLink last = read_link((*rows)[0]);
  const auto changes = changes_after(connection, last.seq, most);
  if (!changes) return changes.error();
  if (changes->empty()) return false;
  const auto notes = notes_between(connection, changes->front().seq, changes->back().seq);
  if (!notes) return notes.error();
  LinkArrays links;
  for (const Change& change : *changes) {
    if (change.seq != last.seq + 1) return Error(ErrorCode::conflict, "the change log has a gap");
    const auto note = notes->find(change.seq);
    last = make_link(last.hash, change, note == notes->end() ? AuditNote() : note->second, random);
    links.add(last);
  }
  if (auto inserted = links.insert(connection); !inserted) return inserted.error();
  return changes->size() == most;
}

Result<AuditPage> audit(Connection& connection, const AuditQuery& query) {
  const auto range = range_of(connection, query);
  if (!range) return range.error();
  Parameters values;
  values.add(range->first).add(range->last).add(static_cast<std::int64_t>(query.limit) + 1);
  values.add(query.key_id ? query.key_id->to_string() : "")
      .add(query.user_id.value_or(""))
      .add(query.actor.value_or(""));
  values.add(query.since.value_or(UnixMillis()).count).add(query.until.value_or(UnixMillis()).count);
  const auto rows = connection.query(audit_sql(query), values);
  if (!rows) return rows.error();
  AuditPage page;
  page.more = static_cast<std::size_t>(rows->count()) > query.limit;
  const int shown_rows = page.more ? static_cast<int>(query.limit) : rows->count();
  for (int i = 0; i < shown_rows; ++i) {
    auto change = read_change((*rows)[i]);
    if (!change) return change.error();
    auto before = change_before(connection, *change);
    if (!before) return before.error();
    const auto notes = notes_between(connection, change->seq, change->seq);
    if (!notes) return notes.error();
    page.entries.push_back(
        {std::move(*change), std::move(*before), notes->empty() ? AuditNote() : notes->begin()->second});
  }
  return page;
}

Result<ChainReport> verify_chain(Connection& connection) {
  ChainWalk walk;
  std::int64_t after = -1;
  for (;;) {
    const auto links = connection.query(
        "SELECT seq, salt, personal, hash FROM chain WHERE seq > $1 ORDER BY seq LIMIT 1000", Parameters().add(after));
    if (!links) return links.error();
    if (links->count() == 0) break;
    const Seq first = seq_at((*links)[0], 0);
    const Seq last = seq_at((*links)[links->count() - 1], 0);
    const auto changes = changes_after(connection, after < 0 ? first : first - 1, 1000);
    if (!changes) return changes.error();
    const auto notes = notes_between(connection, first, last);
    if (!notes) return notes.error();
    for (int i = 0; i < links->count(); ++i) {
      const ChainLink link = read_link((*links)[i]);
      const auto found = std::ranges::lower_bound(*changes, link.seq, {}, &Change::seq);
      const bool there = found != changes->end() && found->seq == link.seq;
      const auto note = notes->find(link.seq);
      if (!walk.step(link, there ? &*found : nullptr, note == notes->end() ? AuditNote() : note->second)) {
        return walk.report();
      }
    }
    after = number(last);
  }
  const auto unlinked =
      connection.query("SELECT count(*) FROM changes WHERE seq > $1", Parameters().add(number(walk.report().end)));
  if (!unlinked) return unlinked.error();
  walk.unlinked(static_cast<std::uint64_t>((*unlinked)[0].integer(0)));
  return walk.report();
}

}  // namespace latchkey::store::postgres

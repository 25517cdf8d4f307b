#!/usr/bin/env bash
# SQLite 3.40: in SQL that is shared with PostgreSQL, `$2` and `$1` are not the second and the first parameter: they are names, numbered
# as they first appear in the text.
#
# One would think: `$N` means in SQLite what it means in PostgreSQL, since SQLite accepts it, and statements with $1, $2, … in this order
# behave alike.
# Seen: `SELECT $2, $1` with the values ('first', 'second') answers ('first', 'second') in SQLite, where PostgreSQL answers ('second',
# 'first'). A parameter that is named twice is one, so that later positions move. `?2` means the second one.
# What follows: one text for both databases writes ?N for SQLite (a replacement of "$" by "?" does), or names parameters in their order.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
command -v g++ >/dev/null && bin=/usr/lib/postgresql/15/bin && [ -x "$bin/postgres" ] && [ "$(id -u)" = 0 ] && command -v runuser >/dev/null || exit 77
apt-get download -q libsqlite3-0=3.40.1-2+deb12u2 libsqlite3-dev=3.40.1-2+deb12u2 >/dev/null 2>&1 || exit 77
for package in *.deb; do dpkg -x "$package" root; done
lib=$PWD/root/usr/lib/x86_64-linux-gnu
cat > t.cpp <<'CPP'
#include <cstdio>
#include <sqlite3.h>
void ask(sqlite3* db, const char* sql) {
  sqlite3_stmt* s = nullptr;
  sqlite3_prepare_v2(db, sql, -1, &s, nullptr);
  sqlite3_bind_text(s, 1, "first", -1, SQLITE_STATIC);
  sqlite3_bind_text(s, 2, "second", -1, SQLITE_STATIC);
  sqlite3_step(s);
  std::printf("SQLite: %s:", sql);
  for (int i = 0; i < sqlite3_column_count(s); ++i) std::printf(" %s", (const char*)sqlite3_column_text(s, i));
  std::printf("\n");
  sqlite3_finalize(s);
}
int main() {
  sqlite3* db = nullptr;
  sqlite3_open(":memory:", &db);
  std::printf("version %s\n", sqlite3_libversion());
  ask(db, "SELECT $1, $2");
  ask(db, "SELECT $2, $1");
  ask(db, "SELECT $2, $2, $1");
  ask(db, "SELECT ?2, ?1");
  sqlite3_close(db);
}
CPP
g++ -w t.cpp -I root/usr/include -L "$lib" -lsqlite3 -o t
LD_LIBRARY_PATH=$lib ./t | tee out
chmod 755 .; mkdir data; chown nobody data
as() { runuser -u nobody -- "$@"; }
as "$bin/initdb" -D data -U app -A trust >/dev/null
as "$bin/pg_ctl" -D data -w -l /dev/null -o "-h '' -k $PWD/data" start >/dev/null
trap 'as "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
as psql -h "$PWD/data" -U app -Atq -F ' ' postgres -c "PREPARE p(text, text) AS SELECT \$2, \$1; EXECUTE p('first', 'second')" \
  | sed 's/^/PostgreSQL: SELECT $2, $1: /' | tee -a out
diff out - <<'T'
version 3.40.1
SQLite: SELECT $1, $2: first second
SQLite: SELECT $2, $1: first second
SQLite: SELECT $2, $2, $1: first first second
SQLite: SELECT ?2, ?1: second first
PostgreSQL: SELECT $2, $1: second first
T
echo "holds: a name, numbered by its first appearance"

#!/usr/bin/env bash
# SQLite 3.40: an INSERT … ON CONFLICT DO NOTHING that gives way uses up an AUTOINCREMENT id all the same.
#
# One would think: SQLite has one writer and no sequence object, so a row that is not inserted takes no number: gaps are PostgreSQL's,
# where a sequence is not rolled back. A numbered outbox or log would then be dense.
# Seen: 'a', 'a' again (nothing happens) and 'b' have the ids 1 and 3. Without AUTOINCREMENT they are 1 and 2. INSERT … SELECT … WHERE
# NOT EXISTS uses up none, and a ROLLBACK gives the number back.
# What follows: a reader that takes a gap for a lost row must not number by AUTOINCREMENT with DO NOTHING; a "resume after id" cursor
# is fine.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
command -v python3 >/dev/null || exit 77
apt-get download -q libsqlite3-0=3.40.1-2+deb12u2 >/dev/null 2>&1 || exit 77
dpkg -x libsqlite3-0_*.deb root
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu
cat > t.py <<'PY'
import sqlite3
print("version", sqlite3.sqlite_version)
GIVES_WAY = "INSERT INTO t (name) VALUES (?) ON CONFLICT (name) DO NOTHING"
LOOKS = "INSERT INTO t (name) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM t WHERE name = ?1)"
def ids(column, statement, rollback=False):
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute(f"CREATE TABLE t (id {column}, name TEXT UNIQUE)")
    db.execute(statement, ("a",))
    if rollback: db.execute("BEGIN")
    db.execute(statement, ("a",))
    if rollback: db.execute("ROLLBACK")
    db.execute(statement, ("b",))
    return [row[0] for row in db.execute("SELECT id FROM t ORDER BY id")]
counted = "INTEGER PRIMARY KEY AUTOINCREMENT"
print("AUTOINCREMENT, DO NOTHING:", ids(counted, GIVES_WAY))
print("AUTOINCREMENT, DO NOTHING within a transaction that is rolled back:", ids(counted, GIVES_WAY, True))
print("AUTOINCREMENT, WHERE NOT EXISTS:", ids(counted, LOOKS))
print("no AUTOINCREMENT, DO NOTHING:", ids("INTEGER PRIMARY KEY", GIVES_WAY))
PY
/usr/bin/python3 t.py | tee out
diff out - <<'T'
version 3.40.1
AUTOINCREMENT, DO NOTHING: [1, 3]
AUTOINCREMENT, DO NOTHING within a transaction that is rolled back: [1, 2]
AUTOINCREMENT, WHERE NOT EXISTS: [1, 2]
no AUTOINCREMENT, DO NOTHING: [1, 2]
T
echo "holds: what gives way uses up a number"

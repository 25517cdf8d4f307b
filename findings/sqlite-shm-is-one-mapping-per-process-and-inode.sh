#!/usr/bin/env bash
# SQLite 3.40 in WAL mode: a connection that is opened after -wal and -shm were moved away gets the old, moved -shm, if another
# connection of the same process still has the database open; every read of it fails with 522 (SQLITE_IOERR_SHORT_READ).
#
# One would think: a new connection opens the files that the directory names now; another process does, and reads the database well.
# Seen: the mapping of -shm belongs to the process and to the database file's inode. The new connection sees the old index and a new,
# empty -wal, and goes on failing until every older connection of the process is closed. A copy renamed over the database (another
# inode) does not have this.
# What follows: a service whose database is restored under it closes all its connections before it opens one anew, or restarts.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
command -v python3 >/dev/null || exit 77
apt-get download -q libsqlite3-0=3.40.1-2+deb12u2 >/dev/null 2>&1 || exit 77
dpkg -x libsqlite3-0_*.deb root
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu
cat > t.py <<'PY'
import os, sqlite3, subprocess, sys
def count(c):
    try: return c.execute("SELECT count(*) FROM t").fetchone()[0]
    except sqlite3.OperationalError as e: return f"{e.sqlite_errorcode} {e.sqlite_errorname}"
print("version", sqlite3.sqlite_version)
def moved(same_inode):
    name = "same.db" if same_inode else "other.db"
    old = sqlite3.connect(name)
    old.execute("PRAGMA journal_mode = wal")
    old.execute("CREATE TABLE t (x)"); old.commit()
    old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    old.execute("INSERT INTO t VALUES (1)"); old.commit()
    for end in ("-wal", "-shm"): os.rename(name + end, name + end + ".away")
    if not same_inode:
        with open(name, "rb") as f, open("copy", "wb") as g: g.write(f.read())
        os.rename("copy", name)
    title = "same inode" if same_inode else "another inode"
    new = sqlite3.connect(name)
    print(f"{title}: a new connection of this process: {count(new)}")
    code = f"import sqlite3; print(sqlite3.connect('{name}').execute('SELECT count(*) FROM t').fetchone()[0])"
    print(f"{title}: another process: {subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout.strip()}")
    old.close(); new.close()
    print(f"{title}: after all of them closed: {count(sqlite3.connect(name))}")
moved(True); moved(False)
PY
python3 t.py | tee out
cat > expected <<'T'
version 3.40.1
same inode: a new connection of this process: 522 SQLITE_IOERR_SHORT_READ
same inode: another process: 0
same inode: after all of them closed: 0
another inode: a new connection of this process: 0
another inode: another process: 0
another inode: after all of them closed: 0
T
diff expected out

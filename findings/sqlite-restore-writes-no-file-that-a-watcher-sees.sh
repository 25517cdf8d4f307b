#!/usr/bin/env bash
# SQLite 3.40 in WAL mode: the shell's `.restore` into a live database, which replaces every row, changes neither inode, nor size,
# nor modification time of the database file.
#
# One would think: a restore is seen at the file: another inode, or at least another mtime; so a watcher on it notices, and what stays
# unchanged there has not been restored.
# Seen: the backup interface writes through the -wal, as any transaction does. The other connection reads the restored rows at once, and
# PRAGMA data_version tells it no more than an ordinary write would. Only the checkpoint touches the file, and an ordinary one does too.
# What follows: that a database is another one must be said in a row of its own (an epoch), compared within the transaction that reads.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
command -v python3 >/dev/null || exit 77
apt-get download -q libsqlite3-0=3.40.1-2+deb12u2 sqlite3=3.40.1-2+deb12u2 libreadline8 libtinfo6 >/dev/null 2>&1 || exit 77
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu
cat > t.py <<'PY'
import os, sqlite3, subprocess, time
def shell(*lines): subprocess.run(["root/usr/bin/sqlite3", "live.db"], input="\n".join(lines), text=True, check=True)
def looks(): s = os.stat("live.db"); return s.st_ino, s.st_size, s.st_mtime_ns
live = sqlite3.connect("live.db", isolation_level=None)
live.execute("PRAGMA journal_mode = wal"); live.execute("CREATE TABLE t (x)"); live.execute("INSERT INTO t VALUES ('before')")
shell(".backup backup.db")
live.execute("UPDATE t SET x = 'after'"); live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
def version(): return live.execute("PRAGMA data_version").fetchone()[0]
def steps(title, write):
    before, first = looks(), version()
    time.sleep(0.05); write()
    now = looks()
    changed = [name for name, a, b in zip(("inode", "size", "mtime"), before, now) if a != b]
    print(f"{title}: the other connection reads {live.execute('SELECT x FROM t').fetchone()[0]}, data_version +{version() - first}, the file: {', '.join(changed) or 'unchanged'}")
print("version", sqlite3.sqlite_version)
steps("an ordinary write", lambda: shell("UPDATE t SET x = 'written';"))
steps(".restore", lambda: shell(".restore backup.db"))
steps("a checkpoint", lambda: live.execute("PRAGMA wal_checkpoint(TRUNCATE)"))
PY
python3 t.py | tee out
cat > expected <<'T'
version 3.40.1
an ordinary write: the other connection reads written, data_version +1, the file: unchanged
.restore: the other connection reads before, data_version +1, the file: unchanged
a checkpoint: the other connection reads before, data_version +0, the file: mtime
T
diff expected out

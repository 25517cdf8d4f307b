#!/usr/bin/env bash
# PgBouncer 1.18: a client library's PQbackendPID() is never the pid of its PostgreSQL session, in any pool mode: the pooler makes it up.
#
# One would think: in session mode, where one client has one server connection, both are equal, so that a difference shows transaction
# or statement mode.
# Seen: they differ in session mode too. What tells the modes apart: two idle clients with a pool of one server connection; outside a
# transaction both answer with one pg_backend_pid() in transaction mode, while in session mode the second one waits.
# What follows: a client that asks "is there a pooler?" compares the two pids, and one that asks "of which mode?" must use two sessions.
# Its pid in a log is not to be searched for in pg_stat_activity.
set -euo pipefail
dir=$(mktemp -d); trap 'kill $(cat "$dir"/*.pid 2>/dev/null) 2>/dev/null; wait; rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 "$dir"
bin=/usr/lib/postgresql/15/bin
[ -x "$bin/postgres" ] && [ "$(id -u)" = 0 ] && command -v runuser >/dev/null && command -v python3 >/dev/null || exit 77
apt-get download -q pgbouncer=1.18.0-1+deb12u1 libc-ares2 libevent-2.1-7 libpq5 >/dev/null 2>&1 || exit 77
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu
as() { runuser -u nobody -- env LD_LIBRARY_PATH="$LD_LIBRARY_PATH" "$@"; }
port=$((20000 + RANDOM % 10000))
mkdir data; chown nobody data .
as "$bin/initdb" -D data -U app -A trust >/dev/null
as "$bin/pg_ctl" -D data -w -l log -o "-p $port -h 127.0.0.1 -k ''" start >/dev/null
head -n 1 data/postmaster.pid > postgres.pid
next=$port
for mode in session transaction; do
  next=$((next + 1))
  cat > "$mode.ini" <<INI
[databases]
postgres = host=127.0.0.1 port=$port user=app
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $next
auth_type = any
pool_mode = $mode
default_pool_size = 1
unix_socket_dir =
pidfile = $dir/$mode.pid
logfile = $dir/$mode.log
INI
  as root/usr/sbin/pgbouncer -d "$mode.ini"
done
cat > t.py <<'PY'
import ctypes, sys
pq = ctypes.CDLL("libpq.so.5")
for name in ("PQconnectdb", "PQexec"): getattr(pq, name).restype = ctypes.c_void_p
pq.PQgetvalue.restype = ctypes.c_char_p
def connect(port): return ctypes.c_void_p(pq.PQconnectdb(f"host=127.0.0.1 port={port} user=app dbname=postgres".encode()))
def session(c): return int(pq.PQgetvalue(ctypes.c_void_p(pq.PQexec(c, b"SELECT pg_backend_pid()")), 0, 0))
direct, session_mode, transaction_mode = (int(p) for p in sys.argv[1:])
for name, port in (("direct", direct), ("session mode", session_mode), ("transaction mode", transaction_mode)):
    one = connect(port)
    print(f"{name}: PQbackendPID is {'the' if pq.PQbackendPID(one) == session(one) else 'not the'} session's")
    if port == transaction_mode: print("transaction mode: two clients share a session:", session(one) == session(connect(port)))
PY
python3 t.py "$port" "$((port + 1))" "$((port + 2))" | tee out
cat > expected <<'T'
direct: PQbackendPID is the session's
session mode: PQbackendPID is not the session's
transaction mode: PQbackendPID is not the session's
transaction mode: two clients share a session: True
T
diff expected out

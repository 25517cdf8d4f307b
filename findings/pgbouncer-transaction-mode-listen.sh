#!/usr/bin/env bash
# PgBouncer 1.18 in transaction mode: LISTEN succeeds and no notification ever comes; and two clients that prepare a statement of one
# name meet "already exists" first, not "does not exist".
#
# One would think: what a pooler cannot do it refuses, or a listener hears at least while its connection is idle; and a client behind a
# pool would first miss the statement that it prepared.
# Seen: LISTEN is answered LISTEN; the notification goes to the server connection, which no client holds. The second client's
# PREPARE meets the first one's (42P05).
# What follows: a client that lives on LISTEN must test what it hears, and poll behind it.
set -euo pipefail
dir=$(mktemp -d); trap 'kill $(cat "$dir"/*.pid 2>/dev/null) 2>/dev/null; wait; rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 "$dir"
bin=/usr/lib/postgresql/15/bin
[ -x "$bin/postgres" ] && [ "$(id -u)" = 0 ] && command -v runuser >/dev/null && id nobody >/dev/null || exit 77
apt-get download -q pgbouncer=1.18.0-1+deb12u1 libc-ares2 libevent-2.1-7 >/dev/null 2>&1 || exit 77
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu
as() { runuser -u nobody -- env LD_LIBRARY_PATH="$LD_LIBRARY_PATH" "$@"; }
port=$((20000 + RANDOM % 10000)); pool=$((port + 1))
mkdir data sock; chown nobody data sock .
as "$bin/initdb" -D data -U app -A trust >/dev/null
as "$bin/pg_ctl" -D data -w -l log -o "-p $port -h 127.0.0.1 -k $dir/sock" start >/dev/null
head -n 1 data/postmaster.pid > postgres.pid
cat > bouncer.ini <<INI
[databases]
postgres = host=127.0.0.1 port=$port
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $pool
auth_type = any
pool_mode = transaction
default_pool_size = 1
unix_socket_dir =
pidfile = $dir/bouncer.pid
logfile = $dir/bouncer.log
INI
sed -i "s/^postgres = .*/& user=app/" bouncer.ini
as root/usr/sbin/pgbouncer -d bouncer.ini
cat > t.py <<'PY'
import select, subprocess, sys, time
direct, pool = sys.argv[1:]
def psql(port): return subprocess.Popen(["psql", "-XqAt", "-h", "127.0.0.1", "-p", port, "-U", "app", "postgres"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
def ask(session, *statements):
    for s in statements: session.stdin.write(s + "\n")
    session.stdin.write("\\echo .\n"); session.stdin.flush()
    lines = []
    while (line := session.stdout.readline()) not in (".\n", ""): lines.append(line.strip())
    return [l for l in lines if l]
for name, port in (("direct", direct), ("pooled", pool)):
    listener, other = psql(port), psql(direct)
    said = ask(listener, "LISTEN news;")
    ask(other, "NOTIFY news, 'x';"); time.sleep(0.5)
    heard = any("news" in l for l in ask(listener, "SELECT 1;"))
    print(f"{name}: LISTEN {'refused' if said else 'accepted'}, notification {'heard' if heard else 'not heard'}")
    first, second = psql(port), psql(port)
    print(f"{name}: two clients prepare s0:", ask(first, "PREPARE s0 AS SELECT 1;") or "ok", ask(second, "\\set VERBOSITY sqlstate", "PREPARE s0 AS SELECT 1;") or "ok")
    for s in (listener, other, first, second): s.stdin.close(); s.wait()
PY
python3 t.py "$port" "$pool" | tee out
cat > expected <<'T'
direct: LISTEN accepted, notification heard
direct: two clients prepare s0: ok ok
pooled: LISTEN accepted, notification not heard
pooled: two clients prepare s0: ok ['ERROR:  42P05']
T
diff expected out

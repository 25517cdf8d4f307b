#!/usr/bin/env bash
# Redis 7.0: a replica that loaded its primary's data and was promoted keeps its own run_id through all of it.
#
# One would think: run_id names a server together with the memory it holds, so a client that has seen this run_id before may go on.
# Seen: REPLICAOF replaced the whole data set and REPLICAOF NO ONE made it a primary; run_id stayed, and what was written before is gone.
# What has changed is master_replid (new), master_replid2 (the old primary's) and second_repl_offset.
# What follows: "the same memory" is run_id and both replication ids and that offset.
set -euo pipefail
dir=$(mktemp -d); pids=(); trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$dir"' EXIT; cd "$dir"
apt-get download -q redis-server=5:7.0.15-1~deb12u10 redis-tools=5:7.0.15-1~deb12u10 liblzf1 libjemalloc2 liblua5.1-0 lua-cjson lua-bitop libatomic1 >/dev/null 2>&1 || exit 77
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu
redis=root/usr/bin
for name in a b; do
  "$redis/redis-server" --port 0 --unixsocket "$dir/$name.sock" --dir "$dir" --dbfilename "$name.rdb" --save '' --daemonize no >/dev/null 2>&1 &
  pids+=($!)
done
port=$((20000 + RANDOM % 10000))
cli() { local to=$1; shift; "$redis/redis-cli" -s "$dir/$to.sock" "$@"; }
for name in a b; do for _ in {1..100}; do [ "$(cli $name ping 2>/dev/null)" = PONG ] && break; sleep 0.1; done; done
cli a config set port "$port" >/dev/null
field() { cli "$1" info "$2" | tr -d '\r' | sed -n "s/^$3://p"; }
cli b set written-before 1 >/dev/null
cli a set written-at-a 1 >/dev/null
before=$(field b server run_id); replid=$(field b replication master_replid)
cli b replicaof 127.0.0.1 "$port" >/dev/null
for _ in {1..100}; do [ "$(field b replication master_link_status)" = up ] && break; sleep 0.1; done
primary=$(field a replication master_replid)
cli b replicaof no one >/dev/null
{
  echo "version $(field b server redis_version)"
  [ "$(field b server run_id)" = "$before" ] && echo "run_id: the same"
  [ "$(field b replication master_replid)" != "$replid" ] && echo "master_replid: another"
  [ "$(field b replication master_replid2)" = "$primary" ] && echo "master_replid2: that of the primary it followed"
  echo "written before: $(cli b exists written-before), written at the primary: $(cli b exists written-at-a)"
} | tee out
cat > expected <<'T'
version 7.0.15
run_id: the same
master_replid: another
master_replid2: that of the primary it followed
written before: 0, written at the primary: 1
T
diff expected out

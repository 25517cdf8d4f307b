#!/usr/bin/env bash
# Redis 7.0 Cluster: a script that declares two keys of two slots is refused at once; one that touches the second key without declaring
# it runs, as long as one node has both slots.
#
# One would think: a cluster checks what a script touches, or nothing, so a test on one node shows which scripts are cluster-safe.
# Seen: CROSSSLOT for declared keys; the undeclared one is read and written on the node that serves its slot, and fails only
# after the slot has moved to another node.
# What follows: a script for a cluster declares every key, and is tested where the slots lie on different nodes.
set -euo pipefail
dir=$(mktemp -d); pids=(); trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$dir"' EXIT; cd "$dir"
apt-get download -q redis-server=5:7.0.15-1~deb12u10 redis-tools=5:7.0.15-1~deb12u10 liblzf1 libjemalloc2 liblua5.1-0 lua-cjson lua-bitop libatomic1 >/dev/null 2>&1 || exit 77
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu
port=$((20000 + RANDOM % 10000))
root/usr/bin/redis-server --port "$port" --bind 127.0.0.1 --cluster-enabled yes --dir "$dir" --save '' >/dev/null 2>&1 & pids+=($!)
cli() { root/usr/bin/redis-cli -p "$port" "$@" 2>&1 | tr -d '\r'; }
for _ in {1..100}; do [ "$(cli ping)" = PONG ] && break; sleep 0.1; done
cli cluster addslotsrange 0 16383 >/dev/null
for _ in {1..100}; do cli cluster info | grep -q 'cluster_state:ok' && break; sleep 0.1; done
{
  cli info server | grep redis_version
  echo "slots of a and b differ: $([ "$(cli cluster keyslot a)" != "$(cli cluster keyslot b)" ] && echo yes)"
  echo "both declared: $(cli eval 'redis.call("SET", KEYS[1], 1); return redis.call("SET", KEYS[2], 1)' 2 a b | head -n 1 | cut -d' ' -f1)"
  echo "b not declared: $(cli eval 'redis.call("SET", KEYS[1], 1); return redis.call("SET", "b", 1)' 1 a | head -n 1)"
  slot=$(cli cluster keyslot b); cli cluster delslots "$slot" >/dev/null; cli config set cluster-require-full-coverage no >/dev/null
  sleep 0.5
  echo "slot of b away: $(cli eval 'redis.call("SET", KEYS[1], 1); return redis.call("SET", "b", 1)' 1 a | head -n 1 | grep -oE 'non local key|CLUSTERDOWN|OK' | head -n 1)"
} | tee out
cat > expected <<'T'
redis_version:7.0.15
slots of a and b differ: yes
both declared: CROSSSLOT
b not declared: OK
slot of b away: non local key
T
diff expected out

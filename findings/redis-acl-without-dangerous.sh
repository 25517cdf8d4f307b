#!/usr/bin/env bash
# Redis 7.0: a user with `+@all -@dangerous` is refused INFO, ROLE, SORT and CLIENT LIST, which clients and limiters call to find out
# where they are; SCRIPT FLUSH, which takes every client's cached scripts away, stays allowed.
#
# One would think: "dangerous" is what destroys or reconfigures, and reading the server's role is neither.
# What follows: a client's smallest ACL names its commands; where ROLE is refused the client cannot tell a replica from a primary.
set -euo pipefail
dir=$(mktemp -d); pids=(); trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$dir"' EXIT; cd "$dir"
apt-get download -q redis-server=5:7.0.15-1~deb12u10 redis-tools=5:7.0.15-1~deb12u10 liblzf1 libjemalloc2 liblua5.1-0 lua-cjson lua-bitop libatomic1 >/dev/null 2>&1 || exit 77
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu
root/usr/bin/redis-server --port 0 --unixsocket "$dir/s" --dir "$dir" --save '' >/dev/null 2>&1 & pids+=($!)
cli() { root/usr/bin/redis-cli -s "$dir/s" "$@"; }
for _ in {1..100}; do [ "$(cli ping 2>/dev/null)" = PONG ] && break; sleep 0.1; done
cli acl setuser app on nopass '~*' '&*' +@all -@dangerous >/dev/null
ask() { printf '%s: ' "$*"; cli --user app --pass x --no-auth-warning "$@" 2>&1 | tr -d '\r' | head -n 1 | sed -E 's/^(NOPERM).*/\1/; s/^[^N].*/allowed/; s/^$/allowed/'; }
{ cli info server | tr -d '\r' | grep redis_version
  ask info server; ask role; ask sort list; ask client list; ask script flush; ask time; ask eval 'return 1' 0; ask wait 0 1; } | tee out
cat > expected <<'T'
redis_version:7.0.15
info server: NOPERM
role: NOPERM
sort list: NOPERM
client list: NOPERM
script flush: allowed
time: allowed
eval return 1 0: allowed
wait 0 1: allowed
T
diff expected out

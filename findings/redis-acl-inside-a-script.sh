#!/usr/bin/env bash
# Redis 7.0: a command that an ACL forbids is answered NOPERM when it is sent, and ERR when a script calls it; the second text does not
# name the command.
#
# One would think: a client finds a missing permission by the code NOPERM, wherever the command stands.
# What follows: a client that runs scripts also recognises the text "can't run this command", and its manual lists the commands of each
# script.
set -euo pipefail
dir=$(mktemp -d); pids=(); trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$dir"' EXIT; cd "$dir"
apt-get download -q redis-server=5:7.0.15-1~deb12u10 redis-tools=5:7.0.15-1~deb12u10 liblzf1 libjemalloc2 liblua5.1-0 lua-cjson lua-bitop libatomic1 >/dev/null 2>&1 || exit 77
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu
root/usr/bin/redis-server --port 0 --unixsocket "$dir/s" --dir "$dir" --save '' >/dev/null 2>&1 & pids+=($!)
cli() { root/usr/bin/redis-cli -s "$dir/s" "$@" 2>&1 | tr -d '\r'; }
for _ in {1..100}; do [ "$(cli ping)" = PONG ] && break; sleep 0.1; done
cli acl setuser app on '>x' '~*' -@all +eval +auth >/dev/null
{
  cli info server | grep redis_version
  echo "sent: $(cli --user app --pass x --no-auth-warning hget k f | head -n 1 | grep -oE '^NOPERM .*hget|^ERR')"
  echo "in a script: $(cli --user app --pass x --no-auth-warning eval 'return redis.call("HGET", KEYS[1], "f")' 1 k | head -n 1 | grep -oE "^[A-Z]+ .*can't run this command|NOPERM")"
} | tee out
cat > expected <<'T'
redis_version:7.0.15
sent: NOPERM this user has no permissions to run the 'hget
in a script: ERR The user executing the script can't run this command
T
diff expected out

#!/usr/bin/env bash
# Redis 7.0 Sentinel: told the primary by name, with a port that speaks TLS, it answers an address, and itself speaks TLS to the primary only
# after "tls-replication yes".
#
# One would think: the name that stands in `sentinel monitor` is the name that clients are given, so the primary's certificate, which is
# made out to it, verifies; and tls-port, certificate and CA in Sentinel's file make its own connections TLS.
# Seen: with "sentinel resolve-hostnames yes" (without it a name is refused) the answer to get-master-addr-by-name is an address, until
# "sentinel announce-hostnames yes". Without tls-replication, which is about replicas by its name, Sentinel speaks plain text to the
# TLS port and counts the primary as down.
# What follows: a certificate that clients of a Sentinel verify has the servers' addresses among its names, or both settings stand in
# Sentinel's file. "Primary down" may mean "Sentinel without TLS".
set -euo pipefail
dir=$(mktemp -d); pids=(); trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$dir"' EXIT; cd "$dir"
command -v openssl >/dev/null || exit 77
apt-get download -q redis-server=5:7.0.15-1~deb12u10 redis-tools=5:7.0.15-1~deb12u10 liblzf1 libjemalloc2 liblua5.1-0 lua-cjson lua-bitop libatomic1 >/dev/null 2>&1 || exit 77
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
port=$((20000 + RANDOM % 10000))
tls=(--tls-cert-file "$dir/pem" --tls-key-file "$dir/key" --tls-ca-cert-file "$dir/pem" --tls-auth-clients no --dir "$dir" --bind 127.0.0.1)
root/usr/bin/redis-server --port 0 --tls-port "$port" "${tls[@]}" --save '' >/dev/null 2>&1 & pids+=($!)
cli() { local to=$1; shift; root/usr/bin/redis-cli --tls --cacert pem -h localhost -p "$to" "$@" 2>/dev/null | tr -d '\r'; }
for _ in {1..100}; do [ "$(cli "$port" ping)" = PONG ] && break; sleep 0.1; done
next=$port
watch() { # watch TITLE LINE...: a Sentinel with these lines in its file
  local title=$1; shift; next=$((next + 1))
  printf '%s\n' "sentinel resolve-hostnames yes" "$@" "sentinel monitor main localhost $port 1" "sentinel down-after-milliseconds main 1500" > "$next.conf"
  root/usr/bin/redis-server "$next.conf" --sentinel --port 0 --tls-port "$next" "${tls[@]}" >/dev/null 2>&1 & pids+=($!)
  for _ in {1..100}; do [ "$(cli "$next" ping)" = PONG ] && break; sleep 0.1; done
  # A healthy primary is known by its run id; one that cannot be spoken to is down after 1.5 s.
  local seen="not decided"
  for _ in {1..100}; do
    cli "$next" sentinel master main | grep -q s_down && seen="down" && break
    [ -n "$(cli "$next" sentinel master main | grep -A1 '^runid$' | sed -n 2p)" ] && seen="up" && break
    sleep 0.1
  done
  echo "$title: the primary is at $(cli "$next" sentinel get-master-addr-by-name main | head -n 1), and $seen"
}
{
  root/usr/bin/redis-server --version | grep -oE 'v=7\.0\.15'
  watch "resolve-hostnames"
  watch "and tls-replication" "tls-replication yes"
  watch "and announce-hostnames" "tls-replication yes" "sentinel announce-hostnames yes"
} > out  # no pipe: what a subshell adds to `pids` is lost
cat out
cat > expected <<'T'
v=7.0.15
resolve-hostnames: the primary is at 127.0.0.1, and down
and tls-replication: the primary is at 127.0.0.1, and up
and announce-hostnames: the primary is at localhost, and up
T
diff expected out

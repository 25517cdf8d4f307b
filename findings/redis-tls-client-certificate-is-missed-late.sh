#!/usr/bin/env bash
# Redis 7.0 with TLS asks every client for a certificate (tls-auth-clients is yes by default); over TLS 1.3 a client without one completes
# its handshake and meets the refusal at its first read.
#
# One would think: with a certificate and a key for the server, TLS is as with HTTPS; and a client that lacks something is told in the
# handshake, so "connected" means that both sides are content.
# Seen: over TLS 1.2 the handshake fails. Over 1.3 it succeeds, verified server and all, a command is sent without error, and the read
# after it is the alert "certificate required".
# What follows: a client that reports "TLS handshake" errors with advice also looks at the first read; a connection is up when PING was
# answered, not before.
set -euo pipefail
dir=$(mktemp -d); pids=(); trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$dir"' EXIT; cd "$dir"
command -v python3 >/dev/null && command -v openssl >/dev/null || exit 77
apt-get download -q redis-server=5:7.0.15-1~deb12u10 redis-tools=5:7.0.15-1~deb12u10 liblzf1 libjemalloc2 liblua5.1-0 lua-cjson lua-bitop libatomic1 >/dev/null 2>&1 || exit 77
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
port=$((20000 + RANDOM % 10000))
root/usr/bin/redis-server --port 0 --tls-port "$port" --tls-cert-file pem --tls-key-file key --tls-ca-cert-file pem --bind 127.0.0.1 \
  --unixsocket "$dir/s" --dir "$dir" --save '' >/dev/null 2>&1 & pids+=($!)
for _ in {1..100}; do [ "$(root/usr/bin/redis-cli -s "$dir/s" ping 2>/dev/null)" = PONG ] && break; sleep 0.1; done
cat > t.py <<'PY'
import socket, ssl, sys
for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    context = ssl.create_default_context(cafile="pem")
    context.minimum_version = context.maximum_version = version
    raw, step = socket.create_connection(("127.0.0.1", int(sys.argv[1]))), "handshake"
    try:
        tls = context.wrap_socket(raw, server_hostname="localhost")
        print(f"{version.name}: handshake: done"); step = "send"
        tls.sendall(b"PING\r\n"); step = "first read"
        print(tls.recv(100))
    except ssl.SSLError as e: print(f"{version.name}: {step}: {e.reason}")
PY
{
  root/usr/bin/redis-cli -s "$dir/s" info server | tr -d '\r' | grep redis_version
  root/usr/bin/redis-cli -s "$dir/s" config get tls-auth-clients | tail -n 1
  python3 t.py "$port"
} | tee out
cat > expected <<'T'
redis_version:7.0.15
yes
TLSv1_2: handshake: SSLV3_ALERT_HANDSHAKE_FAILURE
TLSv1_3: handshake: done
TLSv1_3: first read: TLSV13_ALERT_CERTIFICATE_REQUIRED
T
diff expected out

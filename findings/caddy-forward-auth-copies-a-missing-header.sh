#!/usr/bin/env bash
# Caddy 2.6.2 (Debian 12): `forward_auth { copy_headers X-User }` sends the upstream the placeholder's own text where the authorizer's
# answer lacks that header.
#
# One would think: a header that is not there is not copied, or copied empty.
# Seen: the upstream gets X-User: {http.reverse_proxy.header.X-User}.
# What follows: an authorizer answers with every header that a proxy may copy, empty where there is nothing to say.
set -euo pipefail
dir=$(mktemp -d); pids=(); trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$dir"' EXIT; cd "$dir"
command -v python3 >/dev/null && command -v curl >/dev/null || exit 77
apt-get download -q caddy=2.6.2-5 >/dev/null 2>&1 || exit 77
dpkg -x caddy_*.deb root
cat > server.py <<'PY'
import http.server, os, threading
def serve(headers):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def do_GET(self):
            body = "".join(f"{n}: {self.headers[n]}\n" for n in ("X-User", "X-Plan")).encode()
            self.send_response(200)
            for line in headers.items(): self.send_header(*line)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *_): pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever).start()
    return server.server_port
ports = serve({"X-User": "alice"}), serve({})
open("ports.new", "w").write("%d %d\n" % ports); os.rename("ports.new", "ports")
PY
python3 server.py 2>/dev/null & pids+=($!)
for _ in {1..100}; do [ -e ports ] && break; sleep 0.1; done
read -r authorizer upstream < ports
port=$((20000 + RANDOM % 10000))
cat > Caddyfile <<CADDY
{
  admin off
  auto_https off
}
http://127.0.0.1:$port {
  forward_auth 127.0.0.1:$authorizer {
    uri /check
    copy_headers X-User X-Plan
  }
  reverse_proxy 127.0.0.1:$upstream
}
CADDY
HOME=$dir root/usr/bin/caddy run --config Caddyfile --adapter caddyfile 2>log & pids+=($!)
for _ in {1..100}; do curl -s -o /dev/null "http://127.0.0.1:$port/" && break; sleep 0.1; done
curl -s "http://127.0.0.1:$port/" | tee out
cat > expected <<'T'
X-User: alice
X-Plan: {http.reverse_proxy.header.X-Plan}
T
diff expected out

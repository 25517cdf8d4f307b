#!/usr/bin/env bash
# nginx 1.22.1 `auth_request`: of two WWW-Authenticate lines in the authorizer's 401 the client sees the first only; 304, 400, 429 and 503
# of the authorizer all become 500.
#
# One would think: the 401 is handed on with its challenge, which RFC 9110 lets stand in several field lines; and an error that is
# neither 401 nor 403 is handed on, or is a 502.
# Seen: one challenge arrives. Every status but 2xx, 401 and 403 is the client's 500, so a rate limit looks like a broken server.
# What follows: an authorizer for nginx puts all challenges into one line, and has a mode that says 403 with the true status in a header.
set -euo pipefail
dir=$(mktemp -d); pids=(); trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$dir"' EXIT; cd "$dir"
command -v python3 >/dev/null && command -v curl >/dev/null || exit 77
apt-get download -q nginx=1.22.1-9+deb12u11 >/dev/null 2>&1 || exit 77
dpkg -x nginx_*.deb root
cat > server.py <<'PY'
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(int(self.headers["X-Want"]))
        if self.headers["X-Want"] == "401":
            self.send_header("WWW-Authenticate", 'Bearer realm="a"')
            self.send_header("WWW-Authenticate", 'ApiKey realm="b"')
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
open("port.new", "w").write("%d\n" % server.server_port); os.rename("port.new", "port")
server.serve_forever()
PY
python3 server.py 2>/dev/null & pids+=($!)
for _ in {1..100}; do [ -e port ] && break; sleep 0.1; done
port=$((20000 + RANDOM % 10000))
mkdir tmp
cat > nginx.conf <<CONF
daemon off; master_process off; pid $dir/pid; error_log $dir/log;
events {}
http {
  access_log off; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  server {
    listen 127.0.0.1:$port;
    location / { auth_request /check; root $dir; try_files /port =404; }
    location = /check { internal; proxy_pass http://127.0.0.1:$(cat port); }
  }
}
CONF
root/usr/sbin/nginx -p "$dir" -c nginx.conf 2>/dev/null & pids+=($!)
for _ in {1..100}; do curl -s -o /dev/null -H 'X-Want: 200' "http://127.0.0.1:$port/" && break; sleep 0.1; done
for want in 200 204 401 403 304 400 404 429 503; do
  echo "authorizer $want: client $(curl -s -o /dev/null -w '%{http_code}' -H "X-Want: $want" "http://127.0.0.1:$port/")"
done | tee out
curl -si -H 'X-Want: 401' "http://127.0.0.1:$port/" | tr -d '\r' | grep -i '^www-authenticate' | tee -a out
cat > expected <<'T'
authorizer 200: client 200
authorizer 204: client 200
authorizer 401: client 401
authorizer 403: client 403
authorizer 304: client 500
authorizer 400: client 500
authorizer 404: client 500
authorizer 429: client 500
authorizer 503: client 500
WWW-Authenticate: Bearer realm="a"
T
diff expected out

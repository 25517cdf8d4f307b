#!/usr/bin/env bash
# nginx 1.22.1 `auth_request`: error_page works inside the subrequest, so its location can turn the authorizer's 400 into a 401; and
# client_max_body_size of that location is compared with the client's Content-Length although no body is passed on.
#
# One would think: the subrequest's answer is taken as it came (the documentation: 401 and 403 deny, 2xx allow, else 500), and a bound
# on bodies is nothing to a location with `proxy_pass_request_body off`.
# Seen: with `proxy_intercept_errors on; error_page 400 = @x; location @x { return 401; }` in the subrequest's location the client gets
# 401. A POST of 2 MB to an API that allows 8 MB gets 500: the subrequest's own location has the default bound of 1 MB, and its
# 413 is no 401.
# What follows: the bound stands in the server block, not in the API's location.
set -euo pipefail
dir=$(mktemp -d); pids=(); trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$dir"' EXIT; cd "$dir"
command -v python3 >/dev/null && command -v curl >/dev/null || exit 77
apt-get download -q nginx=1.22.1-9+deb12u11 >/dev/null 2>&1 || exit 77
dpkg -x nginx_*.deb root
cat > server.py <<'PY'
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        length = int(self.headers["Content-Length"] or 0)
        while length > 0: length -= len(self.rfile.read(min(length, 65536)))
        self.send_response(int(self.headers["X-Want"] or 200) if self.path == "/check" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_GET = do_POST = answer
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
open("port.new", "w").write("%d\n" % server.server_port); os.rename("port.new", "port")
server.serve_forever()
PY
python3 server.py 2>/dev/null & pids+=($!)
for _ in {1..100}; do [ -e port ] && break; sleep 0.1; done
port=$((20000 + RANDOM % 10000))
mkdir tmp
check="internal; proxy_pass http://127.0.0.1:$(cat port)/check; proxy_pass_request_body off; proxy_set_header Content-Length ''"
cat > nginx.conf <<CONF
daemon off; master_process off; pid $dir/pid; error_log $dir/log;
events {}
http {
  access_log off; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  server {
    listen 127.0.0.1:$port;
    location /plain/ { client_max_body_size 8m; auth_request /check; proxy_pass http://127.0.0.1:$(cat port); }
    location = /check { $check; }
    location /mapped/ { client_max_body_size 8m; auth_request /check-mapped; proxy_pass http://127.0.0.1:$(cat port); }
    location = /check-mapped { $check; client_max_body_size 8m; proxy_intercept_errors on; error_page 400 = @refused; }
    location @refused { return 401; }
  }
}
CONF
root/usr/sbin/nginx -p "$dir" -c nginx.conf 2>/dev/null & pids+=($!)
for _ in {1..100}; do curl -s -o /dev/null "http://127.0.0.1:$port/plain/" && break; sleep 0.1; done
head -c 2000000 /dev/zero > body
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
for way in plain mapped; do
  url=http://127.0.0.1:$port/$way/
  echo "$way: authorizer 400: client $(status -H 'X-Want: 400' "$url"), 200: $(status "$url"), 2 MB: $(status -H 'Expect:' --data-binary @body "$url")"
done | tee out
cat > expected <<'T'
plain: authorizer 400: client 500, 200: 200, 2 MB: 500
mapped: authorizer 400: client 401, 200: 200, 2 MB: 200
T
diff expected out

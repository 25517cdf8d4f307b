#!/usr/bin/env bash
# curl 7.88.1 (Debian 12): `curl --retry 2 -o /dev/null` fails with exit code 23 where a 429 has a body, and does retry where it has none.
#
# One would think: the usual way to look at a status alone, `-o /dev/null -w '%{http_code}'`, is retried like any other.
# Seen: before the second try curl truncates the output to take the refused body back; /dev/null cannot be truncated, so it gives up
# without a word under -s. Into a file the retry works. On standard output both bodies appear, one behind the other.
# What follows: a script that relies on Retry-After writes to a file.
set -euo pipefail
dir=$(mktemp -d); pids=(); trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$dir"' EXIT; cd "$dir"
command -v python3 >/dev/null || exit 77
apt-get download -q curl=7.88.1-10+deb12u15 libcurl4=7.88.1-10+deb12u15 >/dev/null 2>&1 || exit 77
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu
cat > server.py <<'PY'
import http.server
first = set()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        again = self.path in first
        first.add(self.path)
        body = b"{}" if "body" in self.path else b""
        self.send_response(200 if again else 429)
        if not again: self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
open("port.new", "w").write(str(server.server_port))
import os; os.rename("port.new", "port")
server.serve_forever()
PY
python3 server.py & pids+=($!)
for _ in {1..100}; do [ -e port ] && break; sleep 0.1; done
ask() { # ask LABEL PATH ARGS…
  local label=$1 path=$2 code=0; shift 2
  root/usr/bin/curl -s --retry 2 -w ' status %{http_code}' "$@" "http://127.0.0.1:$(cat port)/$path" > answer || code=$?
  echo "$label:$(tr -d '\n' < answer), exit $code"
}
{ ask 'no body, to /dev/null' one-empty -o /dev/null
  ask 'a body, to /dev/null' two-body -o /dev/null
  ask 'a body, to a file' three-body -o file
  ask 'a body, to standard output' four-body; } | tee out
cat > expected <<'T'
no body, to /dev/null: status 200, exit 0
a body, to /dev/null:, exit 23
a body, to a file: status 200, exit 0
a body, to standard output:{}{} status 200, exit 0
T
diff expected out

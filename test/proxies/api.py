"""What stands behind the proxies: says, as JSON, what reached it."""

import contextlib
import http.server
import json
import threading


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        """Its length, in whichever form it came."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return len(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        size = 0
        while length := int(self.rfile.readline().split(b";")[0], 16):
            size += len(self.rfile.read(length))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return size

    def answer(self):
        self.server.requests += 1
        told = {"method": self.command, "target": self.path, "body": self.body(),
                "headers": [[name.lower(), value] for name, value in self.headers.items()]}
        text = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(OSError):  # a client that has seen enough
                self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Api)
        self.requests = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def end(self):
        self.shutdown()
        self.server_close()

"""The real program, its two services as two processes, over real HTTP. No test double anywhere."""

import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.parse

import conformance

BINARY = os.environ.get("LATCHKEY_BINARY", str(pathlib.Path(__file__).resolve().parents[2] / "build/release/latchkey"))
LONG = bool(os.environ.get("LATCHKEY_LONG"))


def eventually(check, seconds=20.0, pause=0.002):
    """Polls until `check()` is true; generous, because it only bounds a failure."""
    end = time.monotonic() + seconds
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {check}")
        time.sleep(pause)


def clean_environment():
    return {k: v for k, v in os.environ.items() if not k.startswith("LATCHKEY_")}


@dataclasses.dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def problem(self):
        """The problem's short name; asserts that the answer is a problem document."""
        assert self.headers["Content-Type"] == "application/problem+json", (self.status, self.headers.items())
        document = self.json()
        assert document["status"] == self.status and document["title"], document
        assert document["type"].startswith("/problems/"), document
        return document["type"].removeprefix("/problems/")


class Client:
    """One keep-alive connection."""

    def __init__(self, url, headers=None):
        parts = urllib.parse.urlsplit(url)
        self.address = (parts.hostname, parts.port)
        self.headers = headers or {}
        self.connection = None

    def __call__(self, method, path, body=None, headers=None, timeout=30):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*self.address, timeout=timeout)
        send = {**self.headers, **(headers or {})}
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            send.setdefault("Content-Type", "application/json")
        try:
            self.connection.request(method, path, body=body, headers=send)
            response = self.connection.getresponse()
            reply = Reply(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        conformance.hold(self.address, method, path, body, send.get("Content-Type"), reply)
        return reply

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


class Service:
    """`latchkey keys` or `latchkey tokens` on a free port."""

    def __init__(self, name, data_dir, **settings):
        self.name, self.data_dir = name, pathlib.Path(data_dir)
        self.settings = {"LATCHKEY_DATA_DIR": str(data_dir), f"LATCHKEY_{name.upper()}_LISTEN": "127.0.0.1:0",
                         "LATCHKEY_THREADS": "2", **settings}
        self.process = None
        self.log = self.data_dir.parent / f"{name}.log"

    def start(self, wait="ready"):
        self.url_file.unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([BINARY, self.name], env={**clean_environment(), **self.settings},
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        if wait:
            eventually(lambda: self.alive() and self.url_file.exists())
        if wait == "ready":
            eventually(self.ready)
        return self

    @property
    def url_file(self):
        return self.data_dir / "run" / f"{self.name}.url"

    @property
    def url(self):
        url = self.url_file.read_text().strip()
        conformance.remember(self.name, url)
        return url

    def alive(self):
        code = self.process.poll()
        assert code is None, f"{self.name} ended with {code}:\n{self.tail()}"
        return True

    def ready(self):
        self.alive()
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.client()("GET", "/readyz").status == 200
        return False

    def client(self, token=None):
        return Client(self.url, bearer(token) if token else None)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """A graceful stop; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def tail(self):
        return self.log.read_text(errors="replace")[-4000:]

    def end(self):
        """At the end of a test: whatever happened, no sanitizer may have spoken."""
        if self.process and self.process.poll() is None:
            assert self.stop() == 0, self.tail()
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        for word in ("AddressSanitizer", "ThreadSanitizer", "runtime error:", "LeakSanitizer"):
            assert word not in text, text[-8000:]


class Stack:
    """Both services over one data directory and the store that LATCHKEY_TEST_ENGINES names (stores.py)."""

    def __init__(self, tmp_path, **settings):
        from stores import make_store
        self.data_dir = pathlib.Path(tmp_path) / "data"
        self.store = make_store(self.data_dir)
        settings = {**self.store.settings, **settings}
        self.keys = Service("keys", self.data_dir, **settings)
        # A pairing may have several replicas; tests that stop or kill one mean the first.
        self.replicas = [Service("tokens", self.data_dir, **settings)]

    @property
    def tokens(self):
        return self.replicas[0]

    def start(self):
        self.keys.start()
        for replica in self.replicas:
            replica.start()
        return self

    def sql(self, text):
        """Typed by an operator in the store's own shell."""
        self.store.sql(text)

    @property
    def database(self):
        return self.data_dir / "latchkey.db"

    def cli(self, *args, stdin=None, check=True, env=None):
        done = subprocess.run([BINARY, *args], capture_output=True, text=True, input=stdin, timeout=60, check=False,
                              env={**clean_environment(), "LATCHKEY_DATA_DIR": str(self.data_dir), **(env or {})})
        assert not check or done.returncode == 0, (args, done.returncode, done.stdout, done.stderr)
        return done

    def admin_token(self, *args):
        return self.cli("admin-token", *args).stdout.strip()

    def admin(self, *args):
        return self.keys.client(self.admin_token(*args))

    def create(self, user="alice", requests_per_minute=1000, **more):
        reply = self.admin()("POST", "/v1/keys", {"userId": user, "requestsPerMinute": requests_per_minute, **more})
        assert reply.status == 201, reply
        return reply.json()["accessKey"], reply.json()["key"]

    def holder(self, access_key):
        return self.tokens.client(access_key)

    def admitted_key(self, **options):
        """A new key that the second service already admits."""
        access_key, key = self.create(**options)
        client = self.holder(access_key)
        eventually(lambda: client("GET", "/v1/plan").status == 200)
        return access_key, key

    def end(self):
        for replica in self.replicas:
            replica.end()
        self.keys.end()


def connect(url):
    parts = urllib.parse.urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def raw(url, payload, shut=False):
    """Sends bytes as they are and returns all that comes back until the peer closes (or 30 s)."""
    with connect(url) as sock:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.sendall(payload)
            if shut:
                sock.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := sock.recv(65536):
                received += piece
        return received

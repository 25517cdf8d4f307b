"""`/v1/authorize` as proxies use it: any path, any body, any query; and nginx with the very lines of the README."""

import contextlib
import http.server
import pathlib
import re
import shutil
import threading
import time
import urllib.parse

import pytest

from http_client import Client
from latchkey import bearer, connect
from report import measured
from servers import Nginx, free_port

README = pathlib.Path(__file__).parents[2] / "README.md"
IDENTITY = ["x-latchkey-user", "x-latchkey-user-encoded", "x-latchkey-key-id", "x-latchkey-plan", "x-latchkey-scopes"]


@pytest.fixture(scope="module")
def key(shared):
    return shared.admitted_key(user="a%b", requests_per_minute=100_000)


def answers(sock, count=1, seconds=120):
    """The heads and bodies of `count` answers; fewer if the connection ends first."""
    sock.settimeout(seconds)
    received, out = b"", []
    while len(out) < count:
        head, end, rest = received.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        if end and len(rest) >= int(length[1] if length else 0):
            size = int(length[1] if length else 0)
            out.append((head.decode(), rest[:size]))
            received = rest[size:]
            continue
        piece = sock.recv(65536)
        if not piece:
            break
        received += piece
    return out


def request(token, target="/v1/authorize", method="POST", more="", body=b""):
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{more}\r\n".encode() + body


def test_any_path_any_method_any_query(shared, key):
    token, row = key
    client = shared.holder(token)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        for path in ("/v1/authorize", "/v1/authorize/", "/v1/authorize/any/path", "/v1/authorize/a%2Fb/../c//"):
            for query in ("", "?deny=401&deny=&key=x", f"?access_token={token}", "?%zz"):
                reply = client(method, path + query)
                assert reply.status == 200, (method, path, query)
                assert [h.lower() for h in reply.headers if h.lower() in IDENTITY] == IDENTITY, "each exactly once"
                assert [reply.headers[h] for h in IDENTITY] == ["a%b", "a%25b", row["keyId"], "", ""]
    with connect(shared.tokens.url) as sock:
        sock.sendall(request(token, "/v1/authorize/x", method="PROPFIND"))
        assert answers(sock)[0][0].startswith("HTTP/1.1 200")


def test_it_answers_before_the_body_and_goes_on_behind_it(shared, key):
    token, _ = key
    trap = b"GET /v1/plan HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(shared.tokens.url) as sock:
        for more, body in ((f"Content-Length: {len(trap)}\r\n", trap), ("Content-Length: 65536\r\n", b"x" * 65536),
                           ("Transfer-Encoding: chunked\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(trap), trap))):
            sock.sendall(request(token, more=more))
            assert answers(sock)[0][0].startswith("HTTP/1.1 200"), "no body has come yet"
            sock.sendall(body + request(token, "/v1/authorize/next", method="GET"))
            assert answers(sock)[0][0].startswith("HTTP/1.1 200"), "and nothing in it was a request"


@pytest.mark.parametrize("more", ["Content-Length: 1000000\r\n", "Content-Length: 20\r\nExpect: 100-continue\r\n",
                                  "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n"])
def test_a_body_that_cannot_be_passed_over_ends_the_connection(shared, key, more):
    with connect(shared.tokens.url) as sock:
        sock.sendall(request(key[0], more=more))
        head, _ = answers(sock)[0]
        assert head.startswith("HTTP/1.1 200") and "\r\nConnection: close" in head, head
        sock.sendall(request(key[0], "/v1/plan", method="GET"))
        assert answers(sock) == []


def test_a_body_that_does_not_come_ends_the_connection_soon(shared, key):
    with connect(shared.tokens.url) as sock:
        sock.sendall(request(key[0], more="Content-Length: 100\r\n"))
        assert answers(sock)[0][0].startswith("HTTP/1.1 200")
        began = time.monotonic()
        assert answers(sock) == [], "and no 408, which elsewhere comes after 30 s"
        measured("forward auth: a body that does not come", time.monotonic() - began)


class Api(http.server.BaseHTTPRequestHandler):
    """What stands behind the proxy: says whom it was told of."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = f"{self.headers['X-User']} {self.headers['Authorization']} {self.headers['X-API-Key']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):  # a client that has seen enough
            self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def nginx(shared, tmp_path_factory):
    """nginx as the README has it, in front of an API."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    api = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=api.serve_forever, daemon=True).start()
    port = free_port()
    block = re.search(r"```nginx\n(.*?)```", README.read_text(), re.DOTALL)[1]
    for theirs, ours in (("127.0.0.1:7071", urllib.parse.urlsplit(shared.replicas[0].url).netloc), ("listen 80;", f"listen 127.0.0.1:{port};"),
                         ("http://your-api", f"http://127.0.0.1:{api.server_port}")):
        assert theirs in block
        block = block.replace(theirs, ours)
    server = Nginx(tmp_path_factory.mktemp("nginx"), block).start(port)
    yield f"http://127.0.0.1:{port}"
    server.end()
    api.shutdown()
    api.server_close()


def connections(shared):
    return int(shared.replicas[0].metric("latchkey_http_connections_total"))


def test_nginx_lets_in_and_refuses(shared, nginx, key):
    client = Client(nginx, bearer(key[0]))
    assert client("GET", "/api/x?deny=401&key=y").body == b"a%b None None", "the user is handed on, the key is not"
    assert client("POST", "/api/x", b"z" * 500_000).status == 200
    assert Client(nginx)("GET", "/api/x").status == 401
    assert Client(nginx, {"X-API-Key": key[0], "Authorization": "Basic YTpi"})("GET", "/api/x").status == 200
    assert Client(nginx, {"X-API-Key": key[0] + "x", **bearer(key[0])})("GET", "/api/x").status == 403
    spent, _ = shared.admitted_key(requests_per_minute=1)
    limited = Client(nginx, bearer(spent))
    assert limited("GET", "/api/x").status == 200
    reply = limited("GET", "/api/x")
    assert reply.status == 429 and 0 < int(reply.headers["Retry-After"]) <= 61


@pytest.mark.parametrize("more", [
    "".join(f"Cookie: c{i}={'x' * 6000}\r\n" for i in range(4)), "".join(f"X-H{i}: y\r\n" for i in range(70)),
    "X-Odd: a\x01b\r\n", "Latchkey-At-Least: nonsense\r\n", "Referer: /\xe4\r\n"],
    ids=["24 KB of cookies", "70 headers", "a control character", "a wish to wait", "latin1"])
def test_nginx_hands_on_only_what_is_needed(nginx, key, more):
    with connect(nginx) as sock:
        sock.sendall(request(key[0], "/api/x", method="GET").replace(b"\r\n\r\n", b"\r\n" + more.encode("latin1") + b"\r\n"))
        head, body = answers(sock)[0]
        assert head.startswith("HTTP/1.1 200") and body == b"a%b None None", head


@pytest.mark.parametrize("key_line", ["Authorization: Bearer a\x01b", "X-API-Key: \x7f",
                                      f"Authorization: Bearer {'x' * 7900}\r\nX-API-Key: {'x' * 7900}"],
                         ids=["control", "delete", "16 KB of keys"])
def test_nginx_refuses_a_key_that_cannot_be_one(nginx, key_line):
    with connect(nginx) as sock:
        sock.sendall(f"GET /api/x HTTP/1.1\r\nHost: x\r\n{key_line}\r\n\r\n".encode("latin1"))
        head = answers(sock)[0][0]
        assert re.match(r"HTTP/1.1 40[013] ", head), head


def test_nginx_keeps_its_connections_to_the_service(shared, nginx, key):
    client = Client(nginx, bearer(key[0]))
    assert client("GET", "/api/x").status == 200
    before = connections(shared)
    for _ in range(20):
        assert client("GET", "/api/x").status == 200
    assert connections(shared) - before <= 2, "of which one asked for the metric"

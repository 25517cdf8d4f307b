"""Behind nginx, which keeps its connections to the service and shares them among its clients: whatever an attacker frames, and
whatever is hidden in it, each victim gets the answer to their own request."""

import re
import shutil
import socket
import urllib.parse

import pytest

from http_client import Client
from latchkey import bearer, connect
from servers import Nginx, free_port

pytestmark = pytest.mark.engines("sqlite", reason="about the services' doors, which are the same with every store", long=True)

HIDDEN = "GET /v1/tokens/HIDDEN HTTP/1.1\r\nHost: x\r\nX-Swallow: "  # takes the victim's request line for its header
TRAP = f"0\r\n\r\n{HIDDEN}"


def post(headers, body, target="/v1/authorize"):
    return f"POST {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n{body}".encode("latin1")


def length(body):
    return f"Content-Length: {len(body)}"


ATTACKS = {
    "length and chunked": post(f"{length(TRAP)}\r\nTransfer-Encoding: chunked", TRAP),
    "chunked and length": post(f"Transfer-Encoding: chunked\r\n{length(TRAP)}", TRAP),
    "space before the colon": post(f"{length(TRAP)}\r\nTransfer-Encoding : chunked", TRAP),
    "tab before the value": post(f"{length(TRAP)}\r\nTransfer-Encoding:\tchunked", TRAP),
    "another coding": post(f"{length(TRAP)}\r\nTransfer-Encoding: xchunked", TRAP),
    "two codings": post(f"{length(TRAP)}\r\nTransfer-Encoding: identity, chunked", TRAP),
    "two coding headers": post(f"{length(TRAP)}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity", TRAP),
    "folded coding": post(f"{length(TRAP)}\r\nTransfer-Encoding:\r\n chunked", TRAP),
    "coding behind a bare line feed": post(f"{length(TRAP)}\r\nX: y\nTransfer-Encoding: chunked", TRAP),
    "coding behind a control character": post(f"{length(TRAP)}\r\n\x0bTransfer-Encoding: chunked", TRAP),
    "two lengths": post(f"{length('')}\r\n{length(HIDDEN)}", HIDDEN),
    "a list of lengths": post(f"Content-Length: 0, {len(HIDDEN)}", HIDDEN),
    "length with a sign": post(f"Content-Length: +{len(HIDDEN)}", HIDDEN),
    "length that is short": post(length("0"), "0" + HIDDEN),
    "chunk size past 64 bits": post("Transfer-Encoding: chunked", f"1000000000000000A\r\n0123456789\r\n{TRAP}"),
    "chunk extension with a line feed": post("Transfer-Encoding: chunked", f"5;a\nb\r\nhello\r\n{TRAP}"),
    "a body that is a request": post(length(HIDDEN), HIDDEN),
    "a chunk that is a request": post("Transfer-Encoding: chunked", f"{len(HIDDEN):x}\r\n{HIDDEN}\r\n0\r\n\r\n"),
    "a trailer that is a header": post("Transfer-Encoding: chunked", f"0\r\nContent-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}"),
}
VICTIMS = {"their plan": ("GET", "/v1/plan", None), "a token": ("GET", "/v1/tokens/ETH", None), "leave": ("GET", "/v1/authorize", None),
           "leave with a body": ("POST", "/v1/authorize/x", b"b" * 100)}


@pytest.fixture(scope="module")
def nginx(shared, tmp_path_factory):
    """One connection to the service, for all clients."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    port, service = free_port(), urllib.parse.urlsplit(shared.replicas[0].url).netloc
    block = (f"upstream service {{ server {service}; keepalive 1; }}\nserver {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://service;\n"
             "proxy_http_version 1.1; proxy_set_header Connection ''; proxy_request_buffering off; proxy_connect_timeout 60s; } }\n")
    server = Nginx(tmp_path_factory.mktemp("nginx"), block).start(port)
    yield f"http://127.0.0.1:{port}"
    server.end()


@pytest.fixture(scope="module")
def victim(shared):
    return shared.admitted_key(user="victim", requests_per_minute=1_000_000)


def attack(url, payload):
    """Sends it and leaves, once something was answered or nothing comes."""
    with connect(url) as sock:
        sock.settimeout(0.3)
        sock.sendall(payload)
        try:
            while sock.recv(65536):
                pass
        except (socket.timeout, OSError):
            pass


@pytest.mark.parametrize("name", ATTACKS)
def test_every_victim_gets_their_own_answer(shared, nginx, victim, name):
    token, row = victim
    for method, path, body in VICTIMS.values():
        for url in (nginx, shared.replicas[0].url):
            attack(url, ATTACKS[name])
        reply = Client(nginx, bearer(token))(method, path, body)
        assert reply.status == 200, (name, path, reply.status, reply.body)
        if path == "/v1/plan":
            assert reply.json()["keyId"] == row["keyId"]
        if path.startswith("/v1/tokens"):
            assert reply.json()["symbol"] == "ETH"
        if path.startswith("/v1/authorize"):
            assert reply.headers["X-Latchkey-Key-Id"] == row["keyId"]


def test_a_framing_that_was_misread_would_be_noticed(shared, nginx, victim):
    """What is hidden is a request of its own where it is one: the service answers it, and whoever reads one answer too few gets it."""
    token, _ = victim
    hidden = f"GET /v1/tokens/HIDDEN HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    with connect(shared.replicas[0].url) as sock:
        sock.sendall(post(length("0"), "0") + hidden.encode())
        sock.settimeout(120)
        answers = b""
        while len(re.findall(rb"HTTP/1\.1 \d{3}", answers)) < 2:
            answers += sock.recv(65536)
        assert re.findall(rb"HTTP/1\.1 (\d{3})", answers)[1] == b"404", answers

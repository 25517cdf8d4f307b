"""Each real proxy with its file of examples/proxies in front of an API, and Latchkey beside it. What a proxy cannot carry
stands in its class (recipes.py) and in docs/proxies.md, and is held here as well."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.parse

import pytest

from api import Server
from latchkey import Client, Stack, bearer, connect, eventually
from recipes import IDENTITY, PROXIES
from servers import free_port

RULES = """
[[rule]]
name = "open"
match = "* /public/*"
public = true

[[rule]]
match = "* /admin/*"
scope = "admin"

[[rule]]
name = "api"
match = "* /api/*"
"""
DOCS = pathlib.Path(__file__).parents[2] / "docs/proxies.md"


class Door:
    """A proxy, the API behind it, and Latchkey, with keys."""

    def __init__(self, kind, folder):
        self.api = Server()
        (folder / "rules.toml").write_text(RULES)
        self.listen = f"127.0.0.1:{free_port()}"
        self.stack = Stack(folder, LATCHKEY_RULES=str(folder / "rules.toml"), LATCHKEY_ORIGINAL_REQUEST=kind.source,
                           LATCHKEY_TRUSTED_PROXIES="" if kind.source == "path" else "127.0.0.1", LATCHKEY_CLIENT_ADDRESS="x-forwarded-for",
                           LATCHKEY_PREFLIGHT="pass", LATCHKEY_TOKENS_LISTEN=self.listen)
        self.proxy = kind(folder / "proxy", self.listen, f"127.0.0.1:{self.api.server_port}")

    def start(self):
        self.stack.start()
        self.proxy.start()
        self.key, self.row = self.stack.admitted_key(user="a%b", requests_per_minute=1_000_000, scopes=["orders"])
        return self

    @property
    def service(self):
        return self.stack.replicas[0]

    def client(self, **headers):
        return Client(self.proxy.url, headers)

    def holder(self):
        return self.client(**bearer(self.key))

    def end(self):
        with contextlib.ExitStack() as ends:
            for end in (self.api.end, self.stack.end, self.proxy.end):
                ends.callback(end)


@pytest.fixture(scope="module", params=sorted(PROXIES))
def door(request, tmp_path_factory):
    kind = PROXIES[request.param]
    if kind.missing():
        pytest.skip(f"{kind.program} is not installed")
    it = Door(kind, tmp_path_factory.mktemp(request.param))
    try:
        yield it.start()
    finally:
        it.end()


def at_api(reply):
    """What reached the API: its target, and its headers as (name, value)."""
    assert reply.status == 200, (reply.status, reply.body)
    return json.loads(reply.body)


def values(told, name):
    return [value for header, value in told["headers"] if header == name]


def identity_at(told):
    return [", ".join(values(told, name)) for name in IDENTITY]


def refusal(door, reply, problem, status):
    assert reply.status == status, (reply.status, reply.headers.items(), reply.body)
    if door.proxy.problem:
        assert reply.problem == problem
    else:
        assert b"/problems/" not in reply.body
    return reply


def test_hands_on_who_it_is_and_not_the_key(door):
    for credential in (bearer(door.key), {"X-API-Key": door.key}, {"X-API-Key": door.key, "Authorization": "Basic YTpi"}):
        told = at_api(door.client(**credential)("GET", "/api/x?y=%2F&cost=0"))
        assert told["target"] == "/api/x?y=%2F&cost=0"
        assert identity_at(told) == (["a%b", "a%25b", door.row["keyId"], "", "orders"] if door.proxy.identity else [""] * 5)
        assert not values(told, "authorization") and not values(told, "x-api-key")
        assert door.key not in json.dumps(told)


def test_refuses_with_all_it_can_carry(door):
    none = refusal(door, door.client()("GET", "/api/x"), "no-credentials", 401)
    assert none.headers["WWW-Authenticate"] == "Bearer"
    bad = refusal(door, door.client(**bearer("a.b.c"))("GET", "/api/x"), "invalid-token", 401)
    assert bad.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    scope = refusal(door, door.holder()("GET", "/admin/x"), "insufficient-scope", 403)
    assert scope.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="admin"'
    refusal(door, door.holder()("GET", "/nowhere"), "no-rule", 403)
    spent, _ = door.stack.admitted_key(requests_per_minute=1)
    client = door.client(**bearer(spent))
    assert client("GET", "/api/x").status == 200
    limited = refusal(door, client("GET", "/api/x"), "rate-limited", 429)
    assert 0 < int(limited.headers["Retry-After"]) <= 61
    assert limited.headers["RateLimit-Policy"] == '"per-minute";q=1;w=60'
    assert limited.headers["RateLimit"].startswith('"per-minute";r=0;t=')
    refusal(door, door.client(**{"X-API-Key": door.key + "x", **bearer(door.key)})("GET", "/api/x"), "ambiguous-credentials", 400)


def test_rules_by_the_original_request(door):
    assert at_api(door.client()("GET", "/public/x"))["target"] == "/public/x"
    told = at_api(door.client(**bearer("a.b.c"))("POST", "/public/x", b"z"))
    assert identity_at(told) == [""] * 5, "no key is looked at"
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert door.holder()(method, "/admin/x").status == 403, method
        assert door.holder()(method, "/api/x").status == 200, method


TRICKS = [{"X-Latchkey-User": "root"}, {"x-latchkey-USER": "root", "X-LATCHKEY-USER-ENCODED": "root", "X-Latchkey-Plan": "gold",
                                         "x-latchkey-scopes": "admin", "X-Latchkey-Key-Id": "1"},
          {"X-Original-URI": "/public/x", "X-Original-Method": "GET"}, {"x-original-uri": "/public/x"},
          {"X-Forwarded-Uri": "/public/x", "X-Forwarded-Method": "GET"}, {"x-FORWARDED-uri": "/public/x"},
          {"X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.0.0.1", "X-Forwarded-Host": "a", "X-Forwarded-Proto": "https"},
          {"X-Rewrite-Url": "/public/x", "X-HTTP-Method-Override": "OPTIONS"}, {"Origin": "https://a.example"},
          {"Access-Control-Request-Method": "GET"}, {"Latchkey-At-Least": "0000000000000000.99"}, {"Connection": "X-API-Key"}]


def send(door, lines, target="/api/x", method="GET"):
    """One request as written; its status and body."""
    with connect(door.proxy.url) as sock:
        sock.sendall(f"{method} {target} HTTP/1.1\r\nHost: {door.proxy.url[7:]}\r\n{lines}Connection: close\r\n\r\n".encode("latin1"))
        response = http.client.HTTPResponse(sock)
        with contextlib.suppress(http.client.HTTPException, OSError):
            response.begin()
            return response.status, response.read()
    return 0, b""


def test_nothing_that_a_client_sends_changes_what_is_decided(door):
    query = "?cost=0&scope=admin&deny=403&public=true"
    mine = f"Authorization: Bearer {door.key}\r\n"
    for trick in TRICKS:
        for times in (1, 2):
            lines = "".join(f"{name}: {value}\r\n" * times for name, value in trick.items())
            assert send(door, lines, "/api/x" + query)[0] == 401, (trick, times)
            status, _ = send(door, lines + mine, "/admin/x" + query)
            assert status in (400, 403), (trick, times, status)
            status, body = send(door, lines + mine, "/api/x" + query)
            if status == 200:  # some proxies refuse doubled headers
                told = json.loads(body)
                assert identity_at(told) == (["a%b", "a%25b", door.row["keyId"], "", "orders"] if door.proxy.identity else [""] * 5), trick
                assert "root" not in str(told["headers"]) and "gold" not in str(told["headers"]), trick
            else:
                assert times == 2 and status == 400, (trick, status)


ODD_PATHS = ["/public/../admin/x", "/public/%2e%2e/admin/x", "/public/..%2fadmin/x", "//admin/x", "/public//../admin/x", "/./admin/x",
             "/admin%2Fx", "/public/..;/admin/x", "/public;/../admin/x", "/public/..\\admin\\x", "/public%5c..%5cadmin/x",
             "/%61dmin/x", "/public/%252e%252e/admin/x", "/public/x%00/../../admin/x", "/public/./../admin/x", "/public/.%2e/admin/x",
             "/admin/x#/../../public/x", "/Public/x", "/public", "/public%3f/../admin/x", "/public/x/../../api/x"]


def test_an_odd_path_opens_nothing(door):
    for path in ODD_PATHS:
        for method in ("GET", "POST"):
            status, body = send(door, "", path, method)
            if status == 200:  # the proxy has made a plain path of it, for us and for the API
                assert re.match(r"/public/[^%;\\]*$", json.loads(body)["target"]) and ".." not in json.loads(body)["target"], path
            else:
                assert status in (0, 301, 308, 400, 401, 403, 404), (path, status)


def test_large_and_odd_bodies(door):
    client = door.holder()
    for _ in range(5):
        assert at_api(client("POST", "/api/x", b"z" * door.proxy.largest))["body"] == door.proxy.largest
    connection = http.client.HTTPConnection("127.0.0.1", door.proxy.port, timeout=60)
    connection.request("POST", "/api/x", body=iter([b"z" * 1000] * 50), headers=bearer(door.key), encode_chunked=True)
    response = connection.getresponse()
    assert response.status == 200 and json.loads(response.read())["body"] == 50_000
    head = client("HEAD", "/api/x")
    assert head.status == 200 and head.body == b""
    assert at_api(client("OPTIONS", "/api/x"))["method"] == "OPTIONS"
    assert at_api(client("GET", "/api/x"))["body"] == 0, "and the connection is whole"


def test_a_refused_body_is_refused_all_the_same(door):
    arrived = door.api.requests
    statuses = []
    for more in ("", "Expect: 100-continue\r\n"):
        for _ in range(5):
            with connect(door.proxy.url) as sock:
                body = b"z" * min(door.proxy.largest, 500_000)
                head = f"POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode()
                with contextlib.suppress(OSError):
                    sock.sendall(head)
                    if not more:
                        sock.sendall(body)
                    sock.settimeout(10)
                    answer = sock.recv(65536)
                    if more and answer.startswith(b"HTTP/1.1 100"):
                        sock.sendall(body)
                        answer = answer.partition(b"\r\n\r\n")[2] or sock.recv(65536)
                    statuses.append(answer[9:12])
    assert set(statuses) <= {b"401"}, statuses
    assert len(statuses) >= (10 if door.proxy.expect else 5), statuses
    assert door.api.requests == arrived


def test_a_browsers_preflight_passes(door):
    asks = {"Origin": "https://console.example", "Access-Control-Request-Method": "POST"}
    told = at_api(door.client(**asks)("OPTIONS", "/api/x"))
    assert told["method"] == "OPTIONS" and identity_at(told) == [""] * 5
    for less in ({"Origin": "https://console.example"}, {"Access-Control-Request-Method": "POST"}):
        assert door.client(**less)("OPTIONS", "/api/x").status == 401
    assert door.client(**asks)("POST", "/api/x").status == 401


def test_connections_to_the_service(door):
    client = door.holder()
    assert client("GET", "/api/x").status == 200
    before = door.service.metric("latchkey_http_connections_total")
    for _ in range(20):
        assert client("GET", "/api/x").status == 200
    made = door.service.metric("latchkey_http_connections_total") - before
    assert (made <= 3) if door.proxy.keeps_alive else (made > 10), made


def test_nothing_passes_while_the_service_is_slow_or_down(door):
    client = door.holder()
    assert client("GET", "/api/x").status == 200
    arrived = door.api.requests
    door.service.signal(signal.SIGSTOP)
    stat = pathlib.Path(f"/proc/{door.service.process.pid}/stat")
    eventually(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
    status = 0
    try:
        with contextlib.suppress(http.client.RemoteDisconnected):
            status = client("GET", "/api/x").status
    finally:
        door.service.signal(signal.SIGCONT)
    assert status == door.proxy.slow and door.api.requests == arrived, status
    eventually(lambda: door.holder()("GET", "/api/x").status == 200)
    arrived = door.api.requests
    door.service.kill()
    assert door.holder()("GET", "/api/x").status == door.proxy.down and door.api.requests == arrived
    door.service.start()
    eventually(lambda: door.holder()("GET", "/api/x").status == 200)

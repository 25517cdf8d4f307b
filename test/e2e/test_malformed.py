"""Malformed and hostile HTTP: a clear problem document or a closed connection, never a crash, never internals."""

import random
import re
import socket
import time

import pytest

from latchkey import LONG, connect, raw

BAD = {
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", b"400"),
    "two hosts": (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
    "obs-fold": (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", b"400"),
    "space before colon": (b"GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n", b"400"),
    "gzip transfer": (b"POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nGET /smuggled HTTP/1.1\r\n", b"501"),
    "gzip, chunked": (b"POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", b"501"),
    "chunked and length": (b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
    "two lengths": (b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", b"400"),
    "negative length": (b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"400"),
    "huge length": (b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", b"4"),
    "big body": (b"POST /v1/keys HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n", b"413"),
    "big head": (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20000 + b"\r\n\r\n", b"431"),
    "many headers": (b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 2000 + b"\r\n", b"431"),
    "NUL in a header": (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", b"400"),
    "version 2": (b"GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n", b"505"),
    "bad chunk": (b"POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
    "big chunk": (b"POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFF\r\n", b"4"),
    "odd expectation": (b"POST /healthz HTTP/1.1\r\nHost: a\r\nExpect: magic\r\nContent-Length: 1\r\n\r\n", b"417"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("service", ["keys", "tokens"])
def test_bad_messages(shared, service, name):
    payload, status = BAD[name]
    url = getattr(shared, service).url
    answer = raw(url, payload, shut=True)
    assert answer.startswith(b"HTTP/1.1 " + status), (name, answer[:200])
    assert b"application/problem+json" in answer and b"/problems/" in answer
    assert len(re.findall(rb"HTTP/1\.1 \d{3} ", answer)) == 1, "what followed a broken message was taken for a request"
    for internals in (b"src/", b".cpp", b"boost", b"exception", b"sqlite", b"std::"):
        assert internals not in answer.lower()


@pytest.mark.parametrize("service", ["keys", "tokens"])
def test_expect_100_continue(shared, service):
    with connect(getattr(shared, service).url) as sock:
        sock.sendall(b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        first = sock.recv(1000)
        assert first.startswith(b"HTTP/1.1 100")
        sock.sendall(b"{}")
        assert b"HTTP/1.1 405" in first[10:] + sock.recv(4000)


def test_http_1_0(shared):
    assert b"Connection: close" in raw(shared.tokens.url, b"GET /healthz HTTP/1.0\r\n\r\n")
    with connect(shared.tokens.url) as sock:
        for _ in range(2):
            sock.sendall(b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert sock.recv(4000).startswith(b"HTTP/1.")


def test_a_slow_sender_is_cut_off_and_harms_nobody(shared):
    with connect(shared.tokens.url) as slow:
        slow.sendall(b"GET /healthz HT")
        started = time.monotonic()
        assert shared.tokens.client()("GET", "/healthz").status == 200
        slow.settimeout(60)
        answer = slow.recv(4000)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408"), answer
        assert time.monotonic() - started > 1


def test_clients_that_leave_midway(shared):
    for cut in (b"", b"G", b"GET / HTTP/1.1\r\nHost: x", b"POST /v1/keys HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"):
        for _ in range(20):
            with connect(shared.keys.url) as sock:
                sock.sendall(cut)
                if cut:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert shared.keys.client()("GET", "/healthz").status == 200


def test_pipelined_garbage(shared):
    """Good requests followed by noise: the good ones are answered, the noise closes the connection."""
    good = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    seed = random.randrange(2**32)
    print("seed", seed)
    dice = random.Random(seed)
    for _ in range(2000 if LONG else 200):
        noise = bytes(dice.randrange(256) for _ in range(dice.randrange(1, 300)))
        answer = raw(dice.choice([shared.keys, shared.tokens]).url, good * 3 + noise, shut=True)
        assert answer.count(b"HTTP/1.1 200") >= 3, (noise, answer[:100])
    assert shared.keys.alive() and shared.tokens.alive()


def test_mutated_requests(shared):
    seed = random.randrange(2**32)
    print("seed", seed)
    dice = random.Random(seed)
    base = (b'POST /v1/keys HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 38\r\n\r\n'
            b'{"userId":"alice","requestsPerMinute":6}')
    for _ in range(3000 if LONG else 300):
        mutant = bytearray(base)
        for _ in range(dice.randrange(1, 6)):
            mutant[dice.randrange(len(mutant))] = dice.randrange(256)
        answer = raw(shared.keys.url, bytes(mutant), shut=True)
        assert b"HTTP/1.1 500" not in answer, (bytes(mutant), answer)
    assert shared.keys.alive() and shared.keys.client()("GET", "/healthz").status == 200


def test_graceful_stop_exits_0(idle_stack):
    idle_stack.start()
    with connect(idle_stack.tokens.url), connect(idle_stack.keys.url):
        assert idle_stack.tokens.stop() == 0
        assert idle_stack.keys.stop() == 0

"""What connections took is given back, in whatever state they died; and unfinished TLS handshakes take no more than a setting allows."""

import contextlib
import socket
import ssl
import struct
import time

import pytest

from latchkey import LONG, Stack, connect, eventually, is_sanitised
from test_up import self_signed

HANDSHAKES = 128
KEPT = 12 << 20  # bytes that a crowd may leave behind: allocators keep some, and so do 64 closed connections


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("memory")
    stack = Stack(folder)
    stack.keys.settings |= {**self_signed(folder), "LATCHKEY_MAX_HANDSHAKES": str(HANDSHAKES)}
    try:
        yield stack.keys.start(wait="listening")
    finally:
        stack.end()


def resident(service):
    with open(f"/proc/{service.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        trusting().wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()


def trusting():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def established(url):
    return trusting().wrap_socket(connect(url))


def say(octets, plain=False, heard=0):
    """Opens connections that say this; `heard`: and have received so much."""
    def opened(url):
        sock = connect(url) if plain else established(url)
        sock.sendall(octets)
        if heard:
            assert sock.recv(heard)
        return sock
    return opened


GET = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n"
STATES = {
    "has said nothing": (1000, say(b"", plain=True)),
    "in half a greeting": (1000, say(client_hello()[:100], plain=True)),
    "in half a handshake": (1500, say(client_hello(), plain=True, heard=1)),
    "of another protocol": (1000, say(b"GET / HTTP/1.1\r\n\r\n", plain=True, heard=1)),
    "idle": (300, say(b"")),
    "in half a head": (300, say(GET + b"X: " + b"y" * 10_000)),
    "in half a body": (300, say(b"POST /v1/keys HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n" + b"z" * 50_000)),
    "with answers that it does not read": (150, say((GET + b"\r\n") * 40)),
    "after an answer": (300, say(GET + b"\r\n", heard=1)),
}


SHORT = ("in half a handshake", "in half a body", "with answers that it does not read")


@pytest.mark.parametrize("state", STATES if LONG else SHORT)
@pytest.mark.parametrize("end", ["close", "reset"] if LONG else ["close"])
def test_memory_comes_back_whatever_state_a_connection_dies_in(keys, state, end):
    if is_sanitised():
        pytest.skip("a sanitiser keeps what is freed")
    count, open_one = STATES[state]
    for _ in range(2):  # what stays of the first crowd is there for the second
        before = resident(keys)
        crowd = [open_one(keys.url) for _ in range(count)]
        peak = resident(keys)
        for sock in crowd:
            if end == "reset":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        eventually(lambda: resident(keys) < before + KEPT)
    if "handshake" in state or "greeting" in state:
        assert peak < before + 25_000_000, "no more than the setting allows"


def test_whoever_finishes_the_handshake_is_not_ended_by_those_who_do_not(keys):
    health = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with established(keys.url) as old:
        old.sendall(health)  # from its answer on it may be idle for 75 s, without one for 10 s
        assert old.recv(65536).startswith(b"HTTP/1.1 200")
        begun = time.monotonic()
        crowd = [say(client_hello(), plain=True, heard=1)(keys.url) for _ in range(4 * HANDSHAKES)]
        if time.monotonic() - begun > 60:
            pytest.skip("the machine was too slow: the old one has been idle for too long")
        for client in (old, established(keys.url)):
            client.sendall(health)
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
        for sock in crowd:
            sock.close()

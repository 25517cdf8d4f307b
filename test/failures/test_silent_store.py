"""PostgreSQL says nothing any more and resets nothing, as behind a firewall that drops every packet: nobody is told that it
is away."""

import threading
import time

import pytest

from lab import cli
from turns import eventually

promises = pytest.mark.promises
BOUND = 15  # seconds: what docs/operations.md states for one request
PAGES = ("/metrics", "/readyz", "/healthz", "/docs", "/openapi.json", "/.well-known/jwks.json")


class Asked(threading.Thread):
    """One request, sent at once; `took` once it is answered."""

    def __init__(self, client, *request):
        super().__init__(daemon=True)
        self.client, self.request, self.reply, self.took = client, request, None, None
        self.begun = time.monotonic()
        self.start()

    def run(self):
        self.reply = self.client(*self.request, timeout=120)
        self.took = time.monotonic() - self.begun


class Starved(threading.Thread):
    """How late a thread is that sleeps: what this machine adds to any time that a test measures."""

    def __init__(self):
        super().__init__(daemon=True)
        self.worst, self.over = 0.0, threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            begun = time.monotonic()
            time.sleep(0.05)
            self.worst = max(self.worst, time.monotonic() - begun - 0.05)


def commands(manager, token, key_id, holder):
    """More than there are workers, of every kind."""
    admin = lambda: manager.client(token)  # noqa: E731  each on a connection of its own
    one = f"/v1/keys/{key_id}"
    for _ in range(2):
        yield Asked(admin(), "POST", "/v1/keys", {"userId": "bob", "requestsPerMinute": 5})
        yield Asked(admin(), "GET", one)
        yield Asked(admin(), "GET", "/v1/keys")
        yield Asked(admin(), "PATCH", one, {"name": "x"})
        yield Asked(admin(), "PATCH", f"{one}?wait=enforced&timeout=1s", {"name": "y"})
        yield Asked(admin(), "GET", "/v1/replicas")
        yield Asked(admin(), "GET", "/v1/changes")
        yield Asked(admin(), "GET", "/v1/signing-keys")
        yield Asked(manager.client(holder), "GET", "/v1/plan")
        yield Asked(manager.client(holder), "POST", "/v1/plan/disable", {})


@promises("While PostgreSQL says nothing at all", "Whether a command's outcome is known", "Pages, metrics, `/readyz` and")
@pytest.mark.short
def test_a_silent_store_makes_no_page_wait_and_every_command_ends(lab):
    postgres = lab.postgres()
    proxy = lab.proxy(postgres)
    manager = lab.manager("manager", LATCHKEY_STORE=postgres.url(port=proxy.port)).start()
    token = cli(manager, "admin-token", "--ttl", "24h").stdout.strip()
    made = manager.client(token)("POST", "/v1/keys", {"userId": "alice", "requestsPerMinute": 5}).json()
    before = {page: manager.client()("GET", page) for page in PAGES}
    assert {reply.status for reply in before.values()} == {200}
    starved = Starved()
    proxy.silence()
    asked = list(commands(manager, token, made["key"]["keyId"], made["accessKey"]))
    meanwhile = set()  # pages that were answered while what had been asked before them still waited
    while any(one.took is None for one in asked):
        for page in PAGES:
            waiting = [one for one in asked if one.took is None]
            reply = manager.client()("GET", page)
            meanwhile |= {page} if any(one.took is None for one in waiting) else set()
            assert reply.status == 200 or (page, reply.status) == ("/readyz", 503), (page, reply)
            assert page != "/.well-known/jwks.json" or reply.body == before[page].body
        time.sleep(0.2)
    assert meanwhile == set(PAGES), "the others waited as well"
    eventually(lambda: manager.client()("GET", "/readyz").status == 503)
    starved.over.set()
    for one in asked:
        assert one.reply.status == 503, (one.request, one.reply)
        assert one.took < BOUND + 20 * starved.worst, (one.request, one.took, starved.worst)
    print(f"slowest answer {max(one.took for one in asked):.1f} s of {BOUND}; a sleeper was {starved.worst:.2f} s late")
    proxy.heal()
    eventually(lambda: manager.client()("GET", "/readyz").status == 200)
    eventually(lambda: manager.client(token)("POST", "/v1/keys", {"userId": "eve", "requestsPerMinute": 5}).status == 201)

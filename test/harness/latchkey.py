"""The real program, its services as processes of their own, over real HTTP. No test double anywhere."""

import contextlib
import functools
import json
import os
import pathlib
import subprocess

from http_client import Client, bearer, connect, raw
from servers import Redis
from services import BINARY, Relay, Replicas, Service, clean_environment
from stores import PAIRING
from turns import eventually

__all__ = ["BINARY", "LONG", "Client", "Relay", "Replicas", "Service", "Stack", "bearer", "clean_environment", "connect",
           "eventually", "raw", "write_catalog"]

LONG = bool(os.environ.get("LATCHKEY_LONG"))
REPLICAS = 3  # where they need not read the store


def write_catalog(path, symbol):
    """Of one token."""
    token = {"symbol": symbol, "name": "X", "network": "testnet", "contractAddress": None, "decimals": 6,
             "website": "https://example.org"}
    path.write_text(json.dumps({"tokens": [token]}))


class Stack:
    """Both services and what the pairing of engines puts between them (stores.py): nothing but the store, or a relay and
    Redis, with each replica in a directory of its own, as on machines of their own."""

    def __init__(self, tmp_path, pairing=PAIRING, redis=None, **settings):
        home = pathlib.Path(tmp_path)
        self.data_dir, self.pairing = home / "data", pairing
        self.store = pairing.store(self.data_dir)
        at_store = {**self.store.settings, **settings}
        self.keys = Service("keys", self.data_dir, **at_store)
        if pairing.streamed:
            self.redis = redis or Redis(home).start(no_history=True)
            relayed, url = self.redis.url_of("latchkey-relay"), self.redis.url_of("latchkey-tokens")
            self.relays = [Relay("relay", self.data_dir, **{"LATCHKEY_STREAM": relayed, **at_store}).start()]
            beside = {"LATCHKEY_STREAM": url, "LATCHKEY_LIMITER": url if pairing.shared_limit else "local", **settings}
            self.replicas = [Service("tokens", home / f"replica-{number}" / "data", **beside) for number in range(REPLICAS)]
        else:
            self.redis, self.relays, self.replicas = None, [], [Service("tokens", self.data_dir, **at_store)]
        self.tokens = Replicas(self.replicas)

    @property
    def readers(self):
        """Who reads the store's log."""
        return self.relays or self.replicas

    @property
    def processes(self):
        return [self.keys, *self.replicas, *self.relays]

    @property
    def data_dirs(self):
        return sorted({service.data_dir for service in self.processes})

    def start(self):
        self.keys.start()
        self.tokens.start()
        return self

    def sql(self, text):
        """Typed by an operator in the store's own shell."""
        self.store.sql(text)

    @property
    def database(self):
        return self.data_dir / "latchkey.db"

    def cli(self, *args, stdin=None, check=True, env=None):
        done = subprocess.run([BINARY, *args], capture_output=True, text=True, input=stdin, timeout=300, check=False,
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
        with contextlib.ExitStack() as ends:
            if self.redis:
                ends.callback(self.redis.end)
            # The last one first: a relay that has gone would let each replica wait 5 s for its last counts to arrive.
            for service in [self.keys, *self.relays, *self.replicas]:
                ends.callback(service.end)


@functools.cache
def is_sanitised():
    """A build with a sanitiser: it keeps what is freed, and needs more addresses than a limit leaves."""
    return any(word in pathlib.Path(BINARY).read_bytes() for word in (b"__asan_init", b"__tsan_init"))

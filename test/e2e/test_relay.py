"""Store → relay → Redis → three replicas that know of Redis only, and what may befall each of them."""

import contextlib
import http.client
import random
import time

import pytest

from latchkey import LONG, Service, Stack, eventually
from servers import Redis

pytestmark = pytest.mark.engines("sqlite", reason="starts engines of its own")

REPLICAS = 3


class Relay(Service):
    """`latchkey relay`, which listens nowhere."""

    def __init__(self, name, data_dir, **settings):
        super().__init__("relay", data_dir, **settings)
        self.settings.pop("LATCHKEY_RELAY_LISTEN")
        self.log = self.data_dir.parent / f"{name}.log"

    def start(self, wait=None):
        return super().start(wait=wait)

    def kill(self):
        super().kill()
        self.process = None


class Streamed(Stack):
    """Management on the embedded store, a relay beside it, Redis, and replicas with data directories of their own."""

    def __init__(self, tmp_path, **settings):
        super().__init__(tmp_path, **settings)
        self.redis = Redis(tmp_path)
        stream = {**settings, "LATCHKEY_STREAM": self.redis.url}
        self.relay = Relay("relay", self.data_dir, **stream)
        self.replicas = []
        for number in range(REPLICAS):
            replica = Service("tokens", tmp_path / f"replica-{number}" / "data", **stream)
            replica.data_dir.parent.mkdir()
            self.replicas.append(replica)
        self.keys_made = {}

    def start(self):
        self.redis.start()
        self.keys.start()
        self.relay.start()
        for replica in self.replicas:
            replica.start(wait="listens")
        for replica in self.replicas:
            eventually(replica.ready)
        return self

    def make(self, count):
        admin = self.admin()
        for _ in range(count):
            reply = admin("POST", "/v1/keys", {"userId": "alice", "requestsPerMinute": 1000})
            assert reply.status == 201, reply
            self.keys_made[reply.json()["key"]["keyId"]] = reply.json()["accessKey"]

    def change(self, seed):
        """One change of a random key. Returns its position."""
        pick = random.Random(seed)
        key_id = pick.choice(sorted(self.keys_made))
        body = pick.choice([{"disabled": True}, {"disabled": False}, {"requestsPerMinute": pick.randint(100, 100000)}])
        reply = self.admin()("PATCH", f"/v1/keys/{key_id}", body)
        assert reply.status == 200, reply
        return reply.headers["Latchkey-Position"]

    def views_equal_store(self, position, seconds=60.0):
        """Every replica reaches the position, and then knows of each key what the store knows. Returns the time."""
        begin = time.monotonic()
        some_key = next(iter(self.keys_made.values()))
        for replica in self.replicas:
            eventually(lambda: self.reached(replica, some_key, position), seconds)
        took = time.monotonic() - begin
        admin = self.admin()
        for key_id, access_key in self.keys_made.items():
            row = admin("GET", f"/v1/keys/{key_id}").json()
            for replica in self.replicas:
                plan = replica.client(access_key)("GET", "/v1/plan")
                if row["status"] == "active":
                    assert plan.status == 200, (key_id, plan)
                    assert plan.json()["requestsPerMinute"] == row["requestsPerMinute"]
                else:
                    assert (plan.status, plan.problem) == (401, f"key-{row['status']}"), (key_id, plan)
        return took

    @staticmethod
    def reached(replica, access_key, position):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return replica.client(access_key)("GET", "/v1/plan", headers={"Latchkey-At-Least": position}).status != 503
        return False

    def end(self):
        for service in [self.relay, *self.replicas, self.keys]:
            service.end()
        self.redis.end()


@pytest.fixture
def streamed(tmp_path):
    it = Streamed(tmp_path)
    yield it.start()
    it.end()


def test_replicas_need_redis_only(streamed):
    streamed.make(5)
    streamed.views_equal_store(streamed.change(1))
    for replica in streamed.replicas:
        assert not (replica.data_dir / "latchkey.db").exists()


def test_an_emptied_redis_is_filled_again(streamed):
    streamed.make(20)
    streamed.views_equal_store(streamed.change(1))
    for seed in range(3):
        streamed.redis.cli("FLUSHALL")
        print(f"FLUSHALL: views equal the store after {streamed.views_equal_store(streamed.change(seed)):.3f} s")


def test_a_redis_that_restarts_empty_is_filled_again(streamed):
    streamed.make(20)
    streamed.views_equal_store(streamed.change(1))
    for seed in range(3):
        streamed.redis.kill()
        position = streamed.change(seed)
        streamed.redis.start()
        print(f"Redis restarted: views equal the store after {streamed.views_equal_store(position):.3f} s")


def test_a_relay_killed_at_any_moment_is_replaced(streamed):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    pick = random.Random(seed)
    streamed.make(10)
    position, times = None, []
    for _ in range(60 if LONG else 12):
        if pick.random() < 0.3:
            streamed.redis.cli("FLUSHALL")
        position = streamed.change(pick.random())
        time.sleep(pick.choice([0, 0.005, 0.02, 0.1, 0.4]))
        streamed.relay.kill()
        position = streamed.change(pick.random())
        streamed.relay.start()
        if pick.random() < 0.4:
            times.append(streamed.views_equal_store(position))
    times.append(streamed.views_equal_store(position))
    print(f"relay killed: views equal the store after at most {max(times):.3f} s")


def test_two_relays_write_each_change_once(streamed, tmp_path):
    other = Relay("relay-2", streamed.data_dir, LATCHKEY_STREAM=streamed.redis.url).start()
    streamed.make(20)
    for seed in range(20):
        position = streamed.change(seed)
        if seed % 5 == 4:
            streamed.relay.kill()
            streamed.relay.start()
    streamed.views_equal_store(position)
    base, last = (int(streamed.redis.cli("HGET", "latchkey:{feed}:head", name)) for name in ("base", "last"))
    assert int(streamed.redis.cli("XLEN", "latchkey:{feed}:log")) == last - base, "a gap or a repetition"
    assert str(last) == position.split(".")[1]
    other.end()
    streamed.relay.end()
    assert "changes written" in other.log.read_text()


def refused_as_stale(replica, access_key):
    reply = replica.client(access_key)("GET", "/v1/plan")
    return reply.status == 503


def test_replicas_serve_through_an_outage_until_max_staleness(tmp_path):
    it = Streamed(tmp_path, LATCHKEY_MAX_STALENESS="4s")
    it.start()
    try:
        it.make(1)
        access_key = next(iter(it.keys_made.values()))
        it.views_equal_store(it.change(1) and it.admin()("PATCH", f"/v1/keys/{next(iter(it.keys_made))}",
                                                        {"disabled": False}).headers["Latchkey-Position"])
        for fail, recover in [(it.redis.kill, it.redis.start), (it.redis.pause, it.redis.resume),
                              (it.relay.kill, it.relay.start)]:
            fail()
            failed = time.monotonic()
            clients = [replica.client(access_key) for replica in it.replicas]
            while time.monotonic() - failed < 1.5:
                for client in clients:
                    assert client("GET", "/v1/plan").status == 200
            eventually(lambda: all(refused_as_stale(replica, access_key) for replica in it.replicas), 60)
            refused = time.monotonic() - failed
            recover()
            begin = time.monotonic()
            for replica in it.replicas:
                eventually(lambda: not refused_as_stale(replica, access_key), 60)
            print(f"{fail.__qualname__}: refused after {refused:.1f} s, served {time.monotonic() - begin:.1f} s after")
    finally:
        it.end()


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_a_replica_starts_and_serves_with_everything_else_down(tmp_path, kill):
    it = Streamed(tmp_path, LATCHKEY_MAX_STALENESS="20s")
    it.start()
    try:
        it.make(3)
        position = it.change(7)
        it.views_equal_store(position)
        time.sleep(2)  # a mark in the file each second
        replica = it.replicas[0]
        it.keys.stop(), it.relay.stop(), it.redis.kill()
        down = time.monotonic()
        replica.kill() if kill else replica.stop()
        replica.start()
        statuses = {key: replica.client(token)("GET", "/v1/plan").status for key, token in it.keys_made.items()}
        assert 503 not in statuses.values() and 200 in statuses.values(), (statuses, replica.tail())
        served = next(it.keys_made[key] for key, status in statuses.items() if status == 200)
        eventually(lambda: refused_as_stale(replica, served), 60)
        print(f"refused {time.monotonic() - down:.1f} s after everything else was down")
        replica.stop()
        replica.start(wait="listens")
        assert refused_as_stale(replica, served), "a restart made an old file young"
    finally:
        it.end()


def test_an_embedded_replica_starts_from_its_file_too(tmp_path):
    """And serves once it can read the store: while it was stopped, revocations counted as enforced without it."""
    it = Stack(tmp_path, LATCHKEY_MAX_STALENESS="20s").start()
    try:
        access_key, _ = it.admitted_key()
        time.sleep(2)
        it.keys.stop()
        it.tokens.stop()
        it.database.rename(it.data_dir / "hidden.db")
        it.tokens.start(wait="listens")
        eventually(lambda: it.tokens.client()("GET", "/readyz").json().get("state") == "unregistered")
        assert "started from" in it.tokens.tail()
        assert it.holder(access_key)("GET", "/v1/plan").status == 503
        (it.data_dir / "hidden.db").rename(it.database)
        eventually(lambda: it.holder(access_key)("GET", "/v1/plan").status == 200)
        it.tokens.stop()
        it.database.rename(it.data_dir / "hidden.db")
        (it.data_dir / "view.snapshot").write_bytes(b"not a snapshot")
        it.tokens.start(wait="listens")
        assert it.holder(access_key)("GET", "/v1/plan").status == 503
        assert "it is not a snapshot" in it.tokens.tail()
    finally:
        it.end()

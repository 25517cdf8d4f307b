"""Store → relay → Redis → three replicas that know of Redis only, and what may befall each of them."""

import dataclasses
import random
import time

import pytest

from keyring import Keyring
from latchkey import LONG, Relay, eventually
from report import measured
from stores import PAIRING

pytestmark = pytest.mark.engines("sqlite", "redis", reason="about the relay: beside either store")

# Where the pairing has none, one beside its store; which also is what runs with the sanitised builds.
RELAYED = dataclasses.replace(PAIRING, streamed=True)


@pytest.fixture
def make_streamed(make_stack):
    return lambda **settings: make_stack(pairing=RELAYED, **settings)


@pytest.fixture
def stack(make_streamed):
    return make_streamed().start()


@pytest.fixture
def keys(stack):
    return Keyring(stack)


def test_replicas_need_redis_only(stack, keys):
    keys.make(5)
    keys.views_equal_store(keys.change(1))
    for replica in stack.replicas:
        assert "LATCHKEY_STORE" not in replica.settings and not (replica.data_dir / "latchkey.db").exists()


def test_an_emptied_redis_is_filled_again(stack, keys, revoked):
    keys.make(20)
    keys.views_equal_store(keys.change(1))
    for seed in range(3):
        stack.redis.cli("FLUSHALL")
        emptied = time.monotonic()
        measured("recovery: FLUSHALL", keys.views_equal_store(keys.change(seed)) - emptied)


def test_a_redis_that_restarts_empty_is_filled_again(stack, keys, revoked):
    keys.make(20)
    keys.views_equal_store(keys.change(1))
    for seed in range(3):
        stack.redis.kill()
        position = keys.change(seed)
        stack.redis.start()
        started = time.monotonic()
        measured("recovery: Redis restarted empty", keys.views_equal_store(position) - started)


def test_a_redis_that_restarts_with_an_older_memory_is_brought_up(stack, keys, revoked):
    """As after a failover that lost writes: less than the replicas know, which go on."""
    keys.make(20)
    for seed in range(3):
        keys.views_equal_store(keys.change(seed))
        stack.redis.cli("SAVE")
        for more in range(5):
            position = keys.change(10 * seed + more)
        keys.views_equal_store(position)
        stack.redis.kill()
        stack.redis.start()
        started = time.monotonic()
        measured("recovery: Redis restarted with an older memory", keys.views_equal_store(keys.change(seed)) - started)


def test_a_relay_killed_at_any_moment_is_replaced(stack, keys, revoked):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    pick = random.Random(seed)
    keys.make(10)
    relay = stack.relays[0]
    for _ in range(60 if LONG else 12):
        if pick.random() < 0.3:
            stack.redis.cli("FLUSHALL")
        position = keys.change(pick.random())
        time.sleep(pick.choice([0, 0.005, 0.02, 0.1, 0.4]))
        relay.kill()
        position = keys.change(pick.random())
        relay.launch()
        started = time.monotonic()
        if pick.random() < 0.4:
            measured("recovery: relay killed and started", keys.views_equal_store(position) - started)
    relay.started()
    keys.views_equal_store(position)


def test_two_relays_write_each_change_once(stack, keys, revoked):
    relay = stack.relays[0]
    other = Relay("relay-2", relay.data_dir, **relay.settings).start()
    stack.relays.append(other)
    keys.make(20)
    for seed in range(20):
        if seed % 5 == 4:
            relay.kill()
        begun = time.monotonic()
        position = keys.change(seed)
        if seed % 5 == 4:
            measured("recovery: one of two relays killed", keys.views_equal_store(position) - begun)
            relay.start()
    keys.views_equal_store(position)
    base, last = (int(stack.redis.cli("HGET", "latchkey:{feed}:head", name)) for name in ("base", "last"))
    assert int(stack.redis.cli("XLEN", "latchkey:{feed}:log")) == last - base, "a gap or a repetition"
    assert str(last) == position.split(".")[1]
    for each in (relay, other):
        assert each.stop() == 0
    assert "changes written" in other.log.read_text()


def refused_as_stale(replica, access_key):
    reply = replica.client(access_key)("GET", "/v1/plan")
    return reply.status == 503


def test_replicas_serve_through_an_outage_until_max_staleness(make_streamed):
    it = make_streamed(LATCHKEY_MAX_STALENESS="8s").start()
    keys = Keyring(it)
    keys.views_equal_store(keys.make(1))
    access_key = next(iter(keys.made.values()))
    (relay,) = it.relays
    for fail, recover in [(it.redis.kill, it.redis.start), (it.redis.pause, it.redis.resume), (relay.kill, relay.start)]:
        fail()
        failed = time.monotonic()
        clients = [replica.client(access_key) for replica in it.replicas]
        while time.monotonic() - failed < 1.5:
            for client in clients:
                status = client("GET", "/v1/plan").status
                assert status == 200 or time.monotonic() - failed > 4, "where the machine had no time for it, nothing can be said"
        eventually(lambda: all(refused_as_stale(replica, access_key) for replica in it.replicas))
        measured(f"outage, refused by replicas of 8 s staleness: {fail.__qualname__}", time.monotonic() - failed)
        recover()
        begin = time.monotonic()
        for replica in it.replicas:
            eventually(lambda: not refused_as_stale(replica, access_key))
        measured(f"recovery: served after {recover.__qualname__}, having been stale", time.monotonic() - begin)
        time.sleep(1)  # what opened the gate may be nearly 8 s old; ten reports later it is not


def test_replicas_start_and_serve_with_everything_else_down(make_streamed):
    it = make_streamed(LATCHKEY_MAX_STALENESS="20s").start()
    keys = Keyring(it)
    keys.make(3)
    keys.views_equal_store(keys.change(7))
    time.sleep(2)  # a mark in the file each second
    it.keys.stop(), it.relays[0].stop(), it.redis.kill(), it.store.hide()
    down = time.monotonic()
    stopped, killed, _ = it.replicas
    stopped.stop(), killed.kill()
    for replica in (stopped, killed):
        replica.start()
        statuses = {key: replica.client(token)("GET", "/v1/plan").status for key, token in keys.made.items()}
        if time.monotonic() - down > 15:
            pytest.skip("the machine was too slow: the views are too old by now")
        assert 503 not in statuses.values() and 200 in statuses.values(), (statuses, replica.tail())
    served = next(keys.made[key] for key, status in statuses.items() if status == 200)
    for replica in it.replicas:
        eventually(lambda: refused_as_stale(replica, served))
        measured("outage, refused by replicas of 20 s staleness: everything is down", time.monotonic() - down)
    for replica in (stopped, killed):
        replica.stop()
        replica.start(wait="listens")
        assert refused_as_stale(replica, served), "a restart made an old file young"


@pytest.mark.engines("sqlite", reason="the registry that it must report to lies beside the store")
def test_an_embedded_replica_starts_from_its_file_too(make_stack):
    """And serves once it can read the store: while it was stopped, revocations counted as enforced without it."""
    it = make_stack(LATCHKEY_MAX_STALENESS="20s").start()
    access_key, _ = it.admitted_key()
    time.sleep(2)
    it.keys.stop()
    it.tokens.stop()
    it.store.hide()
    it.tokens.start(wait="listens")
    eventually(lambda: it.tokens.client()("GET", "/readyz").json().get("state") == "unregistered")
    eventually(lambda: "started from" in it.replicas[0].tail())
    assert it.holder(access_key)("GET", "/v1/plan").status == 503
    it.store.show()
    eventually(lambda: it.holder(access_key)("GET", "/v1/plan").status == 200)
    it.tokens.stop()
    it.store.hide()
    (it.data_dir / "view.snapshot").write_bytes(b"not a snapshot")
    it.tokens.start(wait="listens")
    assert it.holder(access_key)("GET", "/v1/plan").status == 503
    eventually(lambda: "it is not a snapshot" in it.replicas[0].tail())

"""Redis dies, forgets, fails over or is split: as the stream, as the limiter, as both."""

import time

import pytest

from load import Caller
from turns import eventually

promises = pytest.mark.promises
UNKNOWN = 61  # seconds for which what nobody remembers counts as used


@promises("Redis as the stream")
def test_redis_as_the_stream(lab):
    """Limits are each replica's own here, so that an empty Redis closes no key."""
    postgres, redis = lab.postgres(), lab.redis("redis")
    store, stream = {"LATCHKEY_STORE": postgres.url()}, {"LATCHKEY_STREAM": redis.url}
    manager = lab.manager("manager", **store).start()
    lab.relay("relay", **store, **stream).start()
    replicas = [lab.replica(f"replica-{number}", LATCHKEY_LIMITER="local", **stream).start() for number in (1, 2, 3)]
    with lab.watch([manager], replicas, limits=()) as watch:
        watch.wait(2)  # a mark in each replica's file each second
        redis.kill()
        died = time.monotonic()
        replicas[0].kill()
        replicas[0].start(wait="listens")
        assert set(watch.confirm().outcomes) == {"fenced"}
        for replica in replicas:
            watch.fenced(replica, died)
        redis.start()
        for replica in replicas:
            watch.until(replica, 200)
        eventually(lambda: watch.confirm().outcomes.count("applied") == 3)


@promises("Redis as the limiter")
@pytest.mark.parametrize("way", ["cut", "silence"])
def test_redis_as_the_limiter(lab, direct, way):
    with lab.watch([direct.manager], direct.replicas) as watch:
        getattr(direct.redis_proxy, way)()
        for replica in direct.replicas:
            assert watch.until(replica, 503).problem == "limiter-unavailable"
        assert set(watch.confirm().outcomes) == {"applied"}, "admins see nothing of it"
        direct.redis_proxy.heal()
        for replica in direct.replicas:
            watch.until(replica, 200)


@promises("Redis as the limiter")
def test_redis_as_the_limiter_where_requests_pass_without_it(lab, direct):
    opened = lab.replica("open", LATCHKEY_STORE=direct.postgres.url(), LATCHKEY_LIMITER_FAIL_OPEN="true",
                         LATCHKEY_LIMITER=f"redis://127.0.0.1:{direct.redis_proxy.port}").start()
    with lab.watch([direct.manager], [opened], limits=()) as watch:
        direct.redis_proxy.cut()
        cut = time.monotonic()
        eventually(lambda: opened.metric("latchkey_limiter_fail_open_total") > 20)
        watch.undisturbed(opened, cut)
        direct.redis_proxy.heal()
        watch.confirm()


def closed_for_a_minute(watch, replicas, begun):
    """429 with a Retry-After of at most 61 s for a key that was never used up, and served after it. Permits in hand are
    spent for a second."""
    for replica in replicas:
        watch.until(replica, 429)
        status, headers, _ = Caller(replica)("GET", "/v1/authorize", watch.load.keys["free"])
        assert status != 429 or int(headers["Retry-After"]) <= UNKNOWN, headers["Retry-After"]
    for replica in replicas:
        watch.until(replica, 200)
        early = watch.asked(replica, since=begun + 2, until=begun + UNKNOWN - 1, status=200)
        assert not early, early[:3]


@promises("Redis restarted, empty or with its data", "A Redis that starts anew closes every key for 61 s")
@pytest.mark.parametrize("keeps", ["nothing", "its data"])
def test_redis_restarts(lab, direct, keeps):
    with lab.watch([direct.manager], direct.replicas) as watch:
        if keeps == "its data":
            direct.redis.cli("SAVE")
        direct.redis.kill()
        direct.redis.start()
        begun = time.monotonic()
        assert set(watch.confirm().outcomes) == {"applied"}
        closed_for_a_minute(watch, direct.replicas, begun)


@promises("Redis as the limiter")
def test_relay_and_redis_die_at_once(lab, region):
    with lab.watch([region.manager], region.replicas) as watch:
        region.relays[0].kill()
        region.redis.kill()
        died = time.monotonic()
        assert set(watch.confirm().outcomes) == {"fenced"}
        for replica in region.replicas:
            watch.fenced(replica, died)
        region.redis.start()
        begun = time.monotonic()
        region.relays[0].start()
        closed_for_a_minute(watch, region.replicas, begun)
        eventually(lambda: set(watch.confirm().outcomes) == {"applied"})


class TwoRedis:
    """A primary and its replica, each side of Latchkey's with a way of its own to either."""

    def __init__(self, lab, min_replicas):
        options = ("--min-replicas-to-write", str(min_replicas), "--min-replicas-max-lag", "1", "--repl-ping-replica-period", "1")
        self.primary = lab.redis("primary", *options, no_history=False)
        self.link = lab.proxy(self.primary)
        self.other = lab.redis("other", *options, no_history=False)
        self.other.cli("REPLICAOF", "127.0.0.1", str(self.link.port))
        eventually(lambda: self.primary.cli("SET", "latchkey:limit:no-history", "1", "EX", "60") == "OK"
                   and "state=online" in self.primary.cli("INFO", "replication"))
        eventually(lambda: self.other.cli("EXISTS", "latchkey:limit:no-history") == "1")
        self.ways = [lab.proxy(self.primary) for _ in range(2)]
        self.postgres = lab.postgres()
        store = {"LATCHKEY_STORE": self.postgres.url()}
        self.manager = lab.manager("manager", **store).start()
        self.replicas = [lab.replica(f"replica-{number}", LATCHKEY_LIMITER=f"redis://127.0.0.1:{way.port}", **store).start()
                         for number, way in enumerate(self.ways, 1)]

    def promote(self):
        self.other.cli("REPLICAOF", "NO", "ONE")
        self.other.cli("CONFIG", "SET", "min-replicas-to-write", "0")


@promises("Redis as the limiter, failed over")
def test_redis_fails_over(lab):
    two = TwoRedis(lab, min_replicas=1)
    with lab.watch([two.manager], two.replicas) as watch:
        two.primary.kill()
        for replica in two.replicas:
            assert watch.until(replica, 503).problem == "limiter-unavailable"
        two.promote()
        begun = time.monotonic()
        for way in two.ways:
            way.lead_to(two.other.port)
        closed_for_a_minute(watch, two.replicas, begun)
        watch.confirm()


@promises("Redis as the limiter, split brain: the old primary is cut off from its replicas, and one is promoted",
          "Redis as the limiter with replicas of its own", "Without them a split brain grants twice")
@pytest.mark.parametrize("min_replicas", [1, 0])
def test_redis_is_split(lab, min_replicas):
    """One replica of Latchkey's stays with the old primary. Without min-replicas-to-write each side grants the limit."""
    two = TwoRedis(lab, min_replicas)
    old, new = two.replicas
    with lab.watch([two.manager], two.replicas) as watch:
        two.link.cut()
        watch.wait(3)
        two.promote()
        begun = time.monotonic()
        two.ways[1].lead_to(two.other.port)
        if min_replicas:
            watch.until(old, 503)
        closed_for_a_minute(watch, [new], begun)
        watch.wait(10)
        if not min_replicas:
            watch.limits = {name: 2 * limit for name, limit in watch.limits.items()}
        two.primary.kill()
        two.ways[0].lead_to(two.other.port)
        watch.until(old, 200)
        watch.confirm()


@promises("It is checked at each connect", "What is evicted would be admitted again", "Redis as the limiter may not evict")
def test_a_redis_that_may_evict_grants_nothing(lab, direct):
    with lab.watch([direct.manager], direct.replicas) as watch:
        direct.redis.cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        direct.redis.cli("CONFIG", "SET", "maxmemory", "100mb")
        for replica in direct.replicas:
            assert watch.until(replica, 503).problem == "limiter-unavailable"
            assert "maxmemory-policy" in replica.tail()
        direct.redis.cli("CONFIG", "SET", "maxmemory-policy", "noeviction")
        for replica in direct.replicas:
            watch.until(replica, 200)
        watch.confirm()


@promises("Each region has its own Redis and relays")
def test_a_limit_holds_for_each_regions_redis(lab):
    postgres = lab.postgres()
    manager = lab.manager("manager", LATCHKEY_STORE=postgres.url()).start()
    replicas = [lab.replica(f"region-{number}", LATCHKEY_STORE=postgres.url(), LATCHKEY_LIMITER=lab.redis(f"redis-{number}").url).start()
                for number in (1, 2)]
    with lab.watch([manager], replicas, limits=(5,)) as watch:
        for replica in replicas:
            watch.until(replica, 429, key="limit-5")
        watch.confirm()
        for replica in replicas:
            assert len(watch.asked(replica, key="limit-5", status=200)) == 5
        watch.limits = {}

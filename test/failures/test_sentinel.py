"""A Redis behind a Sentinel, over TLS, fails over in mid-load."""

import time

import pytest

from redis_ways import SentinelRedis
from test_redis_dies import closed_for_a_minute
from turns import eventually

promises = pytest.mark.promises


@promises("**Failover.** A connection that breaks", "The log says `redis: the primary", "Recovery is Sentinel's",
          "**Load balancers.** A replica serves", "`/readyz?include=limiter` answers 503")
def test_the_promoted_one_is_followed(lab):
    postgres, redis = lab.postgres(), lab.keep(SentinelRedis(lab.home))
    store = {"LATCHKEY_STORE": postgres.url()}
    manager = lab.manager("manager", **store).start()
    replicas = [lab.replica(f"replica-{number}", LATCHKEY_LIMITER=redis.url_of("latchkey-tokens"), **store).start()
                for number in (1, 2)]
    eventually(redis.can_fail_over)
    with lab.watch([manager], replicas) as watch:
        redis.primary.kill()
        killed = time.monotonic()
        for replica in replicas:
            assert watch.until(replica, 503).problem == "limiter-unavailable"
        eventually(lambda: replicas[0].client()("GET", "/readyz").status == 200)
        eventually(lambda: redis.sentinel.cli("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main").split()[1] == str(redis.other.port))
        promoted = time.monotonic()
        eventually(lambda: redis.other.cli("EXISTS", "latchkey:limit:store") == "1")
        followed = time.monotonic()
        closed_for_a_minute(watch, replicas, promoted)
        served = time.monotonic()
        assert f"redis: the primary main is 127.0.0.1:{redis.other.port} now" in replicas[0].log.read_text()
        eventually(lambda: replicas[0].client()("GET", "/readyz?include=limiter").status == 200)
        watch.confirm()
    print(f"Sentinel promoted after {promoted - killed:.1f} s, replicas followed {followed - promoted:.1f} s later and served "
          f"{served - killed:.1f} s after the death")

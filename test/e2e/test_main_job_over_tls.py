"""The main job once more, where Redis is reached through a Sentinel, over TLS, by the users of the manual."""

import pytest

from latchkey import Stack
from redis_ways import SentinelRedis
from test_main_job import *  # noqa: F403 (its tests, with this file's stack)

pytestmark = pytest.mark.engines("redis", reason="about the ways to Redis")


@pytest.fixture
def idle_stack(tmp_path):
    redis = SentinelRedis(tmp_path)
    it = Stack(tmp_path, redis=redis)
    yield it
    assert redis.cli("ACL", "LOG") == "", "nothing was refused"
    it.end()
    for service in (*it.replicas, *it.relays):
        assert "NOPERM" not in service.tail(), service.tail()

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "harness"))

from lab import Lab


def pytest_configure(config):
    config.addinivalue_line("markers", "promises(*beginnings): rows and sentences of docs/operations.md that the scenario holds")
    config.addinivalue_line("markers", "short: runs in `./dev test` as well")


@pytest.fixture
def lab(tmp_path):
    it = Lab(tmp_path)
    yield it
    it.end()


class Region:
    """PostgreSQL, two relays, Redis and three replicas that know of Redis only; the third through a proxy."""

    def __init__(self, lab, replicas=3):
        self.postgres = lab.postgres()
        self.redis = lab.redis("redis")
        store, stream = {"LATCHKEY_STORE": self.postgres.url()}, {"LATCHKEY_STREAM": self.redis.url}
        self.manager = lab.manager("manager", **store).start()
        self.relays = [lab.relay(f"relay-{number}", **store, **stream).start() for number in (1, 2)]
        self.proxy = lab.proxy(self.redis)
        far = f"redis://127.0.0.1:{self.proxy.port}"
        urls = [self.redis.url] * (replicas - 1) + [far]
        self.replicas = [lab.replica(f"replica-{number}", LATCHKEY_STREAM=url, LATCHKEY_LIMITER=url).launch()
                         for number, url in enumerate(urls, 1)]
        for replica in self.replicas:
            replica.started()


@pytest.fixture
def region(lab):
    return Region(lab)


class Direct:
    """PostgreSQL and two replicas that read it, the second through a proxy; and Redis as their limiter."""

    def __init__(self, lab):
        self.postgres, self.redis = lab.postgres(), lab.redis("redis")
        self.proxy = lab.proxy(self.postgres)
        self.redis_proxy = lab.proxy(self.redis)
        limiter = {"LATCHKEY_LIMITER": f"redis://127.0.0.1:{self.redis_proxy.port}"}
        self.manager = lab.manager("manager", LATCHKEY_STORE=self.postgres.url()).start()
        self.replicas = [lab.replica("replica-1", LATCHKEY_STORE=self.postgres.url(), **limiter).start(),
                         lab.replica("replica-2", LATCHKEY_STORE=self.postgres.url(port=self.proxy.port), **limiter).start()]


@pytest.fixture
def direct(lab):
    return Direct(lab)

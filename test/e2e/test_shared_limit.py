"""One limit over three replicas and one real Redis: whatever dies, never more than the limit, and nearly all of it.

What each fault may cost is said at its test. A limit's second window begins 60 to 61 s after the first, so each run is
a little longer than that and has two windows to give: 1,200 admissions.
"""

import concurrent.futures
import threading
import time

import pytest

from latchkey import Stack, eventually
from proxy import Proxy
from report import measured
from test_rate_limit import most_in_any_minute

pytestmark = pytest.mark.engines("redis", reason="about the limit over replicas")
LIMIT = 600
SECONDS = 78  # on a busy machine leases run out before they are spent, and it takes a little longer
USED = 0.95 * 2 * LIMIT


class Saturated:
    """A stack with a key of which 64 connections over all replicas want thirty times what it may have."""

    def __init__(self, home):
        self.stack = Stack(home)
        self.proxy = Proxy(self.stack.redis.port)
        for replica in self.stack.replicas:
            replica.settings |= dict.fromkeys(("LATCHKEY_LIMITER", "LATCHKEY_STREAM"), f"redis://127.0.0.1:{self.proxy.port}")
        self.access_key = None
        self.lock = threading.Lock()
        self.admitted, self.statuses, self.longest = [], {}, 0.0  # admitted: (sent, answered)

    def hammer(self, seconds, disturb=()):
        """`disturb` is a list of (after seconds, action)."""
        self.access_key, _ = self.stack.admitted_key(requests_per_minute=LIMIT)
        eventually(lambda: all(n == 3 for n in self.stack.tokens.metrics("latchkey_limiter_replicas")))
        self.begun = begun = time.monotonic()
        threads = [threading.Thread(target=self.ask, args=(i, begun + seconds)) for i in range(64)]
        for thread in threads:
            thread.start()
        for after, action in disturb:
            time.sleep(max(0, begun + after - time.monotonic()))
            action()
        for thread in threads:
            thread.join()

    def ask(self, index, until):
        client = None
        while time.monotonic() < until:
            sent = time.monotonic()
            try:
                client = client or self.stack.replicas[index % 3].client(self.access_key, patient=False)
                self.answered(sent, client("GET", "/v1/authorize").status)
            except Exception:  # a replica that was killed
                client = None
                time.sleep(0.2)
            time.sleep(0.2)

    def answered(self, sent, status):
        now = time.monotonic()
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.longest = max(self.longest, now - sent)
            if status == 200:
                self.admitted.append((sent, now))

    def tell(self, what):
        measured(f"shared limit, {what}: admitted of {2 * LIMIT}", len(self.admitted), "")
        measured(f"shared limit, {what}: most in any minute, of {LIMIT}", most_in_any_minute(self.admitted), "")
        measured(f"shared limit, {what}: longest answer", self.longest)
        when = sorted(sent - self.begun for sent, _ in self.admitted)
        print(what, self.statuses, "seconds of every hundredth admission:", [round(at, 1) for at in when[::100] + when[-1:]])

    def end(self):
        self.proxy.end()
        self.stack.end()


def nothing(run):
    run.hammer(SECONDS)
    run.calls = sum(run.stack.tokens.metrics("latchkey_limiter_calls_total"))


def killed_replica(run):
    victim = run.stack.replicas[2]
    run.hammer(SECONDS, [(0.3, victim.kill), (3, victim.start)])


def cut_network(run):
    run.hammer(SECONDS, [(58, run.proxy.open.clear), (64, run.proxy.open.set)])


def emptied_redis(run):
    def empty():
        run.stack.redis.kill()
        run.emptied = time.monotonic()
        run.stack.redis.start()
    run.hammer(SECONDS, [(3, empty)])


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Each on a stack of its own, at the same time: they take a minute each, and mostly wait."""
    faults = [nothing, killed_replica, cut_network, emptied_redis]
    done = {fault: Saturated(tmp_path_factory.mktemp(fault.__name__)) for fault in faults}
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for fault, run in done.items():
                run.stack.start()
                run.failure = pool.submit(fault, run)
        for fault, run in done.items():
            run.failure.result()
            run.tell(fault.__name__.replace("_", " "))
        yield done
    finally:
        for run in done.values():
            run.end()


def nearly_all(run):
    """A stall burns nothing (limiter_stall_test.cpp), but takes its time; and Redis is given 250 ms to answer: where all wait
    longer than that for a core, there is no shared store, and nothing can be said of what it gives."""
    if len(run.admitted) < USED and run.longest > 1:
        pytest.skip(f"the machine stalled, an answer took {run.longest:.1f} s: {len(run.admitted)} admitted, which proves nothing")
    assert len(run.admitted) >= USED


def test_three_replicas_admit_one_limit_and_use_it(runs):
    run = runs[nothing]
    requests = sum(run.statuses.values())
    measured("Redis calls a request at saturation", run.calls / requests, "")
    assert set(run.statuses) == {200, 429} or run.longest > 0.2, run.statuses  # Redis has 250 ms
    if run.longest > 1:
        pytest.skip("the machine stalled: with fewer requests there are more calls for each")
    assert run.calls <= 0.05 * requests
    nearly_all(run)


def test_a_killed_replica_costs_no_more_than_it_held(runs):
    """What it had leased for half a second and not spent is lost, a fraction of one of the two windows."""
    run = runs[killed_replica]
    assert set(run.statuses) <= {200, 429, 503}, "503: it is starting again, and has no view yet"
    nearly_all(run)


def test_a_cut_network_delays_permits_and_loses_none(runs):
    """Cut as the first permits come back, which is when Redis is asked: the second window is given once it is mended."""
    run = runs[cut_network]
    assert run.statuses[503] > 0, "a key without permits cannot be decided while the network is cut"
    nearly_all(run)


def test_an_emptied_redis_closes_the_key_for_a_minute_and_no_longer(runs):
    """Nobody knows what was admitted before: nothing for 61 s by the design, then the second window."""
    run = runs[emptied_redis]
    closed = [sent - run.emptied for sent, _ in run.admitted if run.emptied + 1 < sent < run.emptied + 60]
    assert not closed, closed
    nearly_all(run)


@pytest.mark.parametrize("fault", [nothing, killed_replica, cut_network, emptied_redis])
def test_no_minute_has_more_than_the_limit(runs, fault):
    assert most_in_any_minute(runs[fault].admitted) <= LIMIT

"""All kinds of limits over three replicas and one real Redis: each exact over all of them, whatever dies.

A user with five keys and the limits 10 in 1 s, 600 in 60 s and 5,000 a day, all per user; 64 connections.
"""

import concurrent.futures
import time

import pytest

from latchkey import LONG, Service, eventually
from report import measured
from servers import Redis
from test_limits_for_sale import BURST, CONNECTIONS, DAILY, MINUTE, key_of_plan, midnight_is_far, most_within, plan

pytestmark = pytest.mark.engines("redis", reason="about limits over replicas")
SECONDS = 300 if LONG else 12


class Crowd:
    """64 connections over all replicas, which ask until they are told to end."""

    def __init__(self, stack, keys):
        self.stack, self.keys, self.ended, self.given = stack, keys, False, 0
        self.pool = concurrent.futures.ThreadPoolExecutor(CONNECTIONS)
        self.parts = [self.pool.submit(self.ask, number) for number in range(CONNECTIONS)]

    def ask(self, number):
        done, client = [], None
        while not self.ended:
            sent = time.monotonic()
            try:
                client = client or self.stack.replicas[number % 3].client(self.keys[number % len(self.keys)], patient=False)
                status = client("GET", "/v1/authorize").status
                done.append((sent, status, time.monotonic()))
                self.given += status == 200
            except Exception:  # a replica that was killed
                client = None
                time.sleep(0.2)
            time.sleep(0.05)
        return done

    def end(self):
        self.ended = True
        self.done = [each for part in self.parts for each in part.result()]
        self.admitted = [(sent, answered) for sent, status, answered in self.done if status == 200]
        return self


def made(stack, *limits):
    midnight_is_far(SECONDS + 300)
    plan(stack, *limits)
    keys = [key_of_plan(stack) for _ in range(5)]
    eventually(lambda: all(n == 3 for n in stack.tokens.metrics("latchkey_limiter_replicas")))
    return keys


def calls(stack):
    return sum(stack.tokens.metrics("latchkey_limiter_calls_total"))


def test_every_limit_of_a_user_is_exact_over_all_replicas(stack):
    keys = made(stack, BURST, {**MINUTE, "requests": 600 if LONG else 60}, DAILY)
    before, crowd = calls(stack), Crowd(stack, keys)
    time.sleep(SECONDS)
    eventually(lambda: crowd.given >= 55)  # of the minute's, however slow the machine
    crowd.end()
    assert {status for _, status, _ in crowd.done} <= {200, 429, 503}
    assert most_within(crowd.admitted, 1) <= 10
    assert most_within(crowd.admitted, 60) <= (600 if LONG else 60)
    measured("shared limits: admitted", len(crowd.admitted), "")
    measured("shared limits: calls to Redis an offered request", (calls(stack) - before) / len(crowd.done), "")
    is_left_of_the_day(stack, keys[0], len(crowd.admitted))


def is_left_of_the_day(stack, access_key, admitted, burnt=0):
    def left():
        limits = stack.holder(access_key)("GET", "/v1/plan").json()["limits"]
        return next(limit.get("remaining") for limit in limits if limit["name"] == "daily")
    eventually(lambda: DAILY["requests"] - admitted - burnt <= left() <= DAILY["requests"] - admitted)


def test_a_quota_survives_a_killed_replica_and_a_redis_that_comes_back_empty(stack):
    """All of a day's budget is given, never more: what Redis forgot the replicas tell it."""
    budget = 400
    keys = made(stack, {**DAILY, "requests": budget})
    first = Crowd(stack, keys[:2])
    eventually(lambda: sum(part.running() for part in first.parts) > 0)
    time.sleep(0.3)
    stack.replicas[2].kill()
    first.end()
    stack.replicas[2].start()
    eventually(lambda: stack.replicas[2].client(keys[0])("GET", "/v1/plan").status == 200)
    given = len(first.admitted)
    assert given <= budget
    stack.redis.kill()
    stack.redis.start()
    refused = None

    def is_closed():
        nonlocal refused
        refused = stack.replicas[0].client(keys[0], patient=False)("GET", "/v1/authorize")
        return refused.status == 429
    eventually(is_closed)
    if not LONG:
        return
    time.sleep(int(refused.headers["Retry-After"]))
    second = Crowd(stack, keys)
    time.sleep(15)
    second.end()
    assert given + len(second.admitted) <= budget


@pytest.mark.promises("A Redis that has counted already stays as it is.")
def test_an_operator_begins_a_limiter(stack, tmp_path):
    """Of an empty Redis the first requests are admitted; one that has counted stays as it is."""
    redis = Redis(tmp_path).start()
    try:
        said = stack.cli("limiter", "begin", env={"LATCHKEY_LIMITER": redis.url})
        assert "nothing was admitted" in said.stdout
        replica = Service("tokens", tmp_path / "replica" / "data", LATCHKEY_STREAM=stack.redis.url,
                          LATCHKEY_LIMITER=redis.url)
        replica.start()
        try:
            access_key, _ = stack.admitted_key(requests_per_minute=3)
            client = replica.client(access_key, patient=False)
            eventually(lambda: client("GET", "/v1/authorize").status == 200)
            again = stack.cli("limiter", "begin", env={"LATCHKEY_LIMITER": redis.url})
            assert "counted before" in again.stdout
            assert redis.cli("EXISTS", "latchkey:limit:no-history") == "0"
        finally:
            replica.stop()
    finally:
        redis.kill()
    local = stack.cli("limiter", "begin", env={"LATCHKEY_LIMITER": "local"}, check=False)
    assert local.returncode == 1 and "LATCHKEY_LIMITER" in local.stderr
    gone = stack.cli("limiter", "begin", env={"LATCHKEY_LIMITER": redis.url}, check=False)
    assert gone.returncode == 1 and str(redis.port) in gone.stderr

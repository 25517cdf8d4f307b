"""Usage: what clients counted is what the management service answers, through restarts of every part."""

import collections
import contextlib
import datetime
import http.client
import json
import threading
import time

import pytest

from latchkey import LONG, eventually

ROUNDS = 8 if LONG else 3


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def now():
    return datetime.datetime.now(datetime.UTC)


def usage(stack, query="", token="viewer"):
    reply = stack.admin("--role", token)("GET", f"/v1/usage{query}")
    assert reply.status == 200, (reply.status, reply.body)
    return reply.json()


def sums(answer):
    """By group and outcome, of all points."""
    found = collections.Counter()
    for series in answer["series"]:
        for point in series["points"]:
            for outcome in ("admitted", "limited", "cost"):
                found[series["group"], outcome] += point[outcome]
            for reason, count in point["refused"].items():
                found[series["group"], reason] += count
    return +found


class Clients:
    """Counts what it was answered, by key id and user."""

    def __init__(self, stack):
        self.stack, self.by_key, self.by_user, self.lock = stack, collections.Counter(), collections.Counter(), threading.Lock()

    def send(self, keys, each):
        """`each` requests with each key, by two threads."""
        threads = [threading.Thread(target=self.ask, args=(keys, each)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def ask(self, keys, each):
        for access_key, key in keys:
            client = self.stack.holder(access_key)
            for _ in range(each):
                self.note(key, client("GET", "/v1/tokens"))

    def note(self, key, reply):
        outcomes = {200: ["admitted", "cost"], 429: ["limited"]}.get(reply.status) or [reply.problem.removeprefix("key-")]
        with self.lock:
            for outcome in outcomes:
                self.by_key[key["keyId"], outcome] += 1
                self.by_user[key["userId"], outcome] += 1


def settled(counts):
    """503s of a limiter that is away are asked again, unseen."""
    return {key: count for key, count in counts.items() if key[1] not in ("limiter-unavailable", "stale-view")}


def restart_all(stack):
    for service in [*stack.replicas, *stack.relays, stack.keys]:
        assert service.stop() == 0
        service.launch()
    for service in [stack.keys, *stack.relays, *stack.replicas]:
        service.started()


def test_sums_by_key_and_user_are_what_clients_counted_through_restarts_of_every_part(stack):
    keys = [stack.admitted_key(user="alice"), stack.admitted_key(user="alice"), stack.admitted_key(user="bob", requests_per_minute=5)]
    disabled, key = stack.admitted_key(user="bob")
    stack.admin()("PATCH", f"/v1/keys/{key['keyId']}", {"disabled": True})
    eventually(lambda: stack.holder(disabled)("GET", "/v1/plan").status == 401)
    clients = Clients(stack)
    for number in range(ROUNDS):
        clients.send([*keys, (disabled, key)], 20)
        if number < ROUNDS - 1:
            restart_all(stack)
    end = now()
    wanted = {"key": settled(clients.by_key), "user": settled(clients.by_user)}
    assert len({outcome for _, outcome in wanted["key"]}) == 4, wanted
    for group, counted in wanted.items():
        eventually(lambda: settled(sums(usage(stack, f"?groupBy={group}"))) == counted, pause=0.2)
    eventually(lambda: moment(usage(stack)["completeUntil"]) >= end, pause=0.2)
    answer = usage(stack, "?groupBy=user&resolution=day")
    assert settled(sums(answer)) == wanted["user"]
    assert answer["resolution"] == "day" and answer["resolutionKept"] == "minute"
    total = usage(stack)["total"]
    assert total["admitted"] == sum(count for (_, outcome), count in wanted["key"].items() if outcome == "admitted")


def test_a_kill_loses_one_batch_at_most_and_the_answer_tells(stack):
    access_key, key = stack.admitted_key()
    clients = Clients(stack)
    clients.send([(access_key, key)], 20)
    eventually(lambda: usage(stack)["total"]["admitted"] == 40, pause=0.2)
    clients.send([(access_key, key)], 10)
    killed = now()
    stack.tokens.kill()
    stack.tokens.start()
    clients.send([(access_key, key)], 20)
    eventually(lambda: usage(stack)["total"]["admitted"] >= 80, pause=0.2)
    answer = usage(stack)
    assert 80 <= answer["total"]["admitted"] <= 100
    assert moment(answer["completeUntil"]) <= killed


def test_a_holder_sees_the_own_usage(shared):
    access_key, key = shared.admitted_key(user="holder")
    other, _ = shared.admitted_key(user="holder")
    for presented, count in ((access_key, 3), (other, 2)):
        for _ in range(count):
            assert shared.holder(presented)("GET", "/v1/tokens").status == 200
    eventually(lambda: usage(shared, "?userId=holder")["total"]["admitted"] == 5, pause=0.2)
    holder = shared.keys.client(access_key)
    assert holder("GET", "/v1/plan/usage").json()["total"]["admitted"] == 3
    assert holder("GET", "/v1/plan/usage?groupBy=user").status == 400
    assert shared.keys.client()("GET", "/v1/plan/usage").status == 401
    assert usage(shared, f"?keyId={key['keyId']}")["total"]["admitted"] == 3


def test_a_plan_is_that_at_the_request(shared):
    admin = shared.admin()
    for name in ("free", "pro"):
        reply = admin("PUT", f"/v1/plans/{name}", {"limits": [{"name": "per-minute", "requests": 1000, "window": "60s"}]})
        assert reply.status == 201, reply.body
    reply = admin("POST", "/v1/keys", {"userId": "planned", "plan": "free"})
    assert reply.status == 201, reply.body
    access_key, key = reply.json()["accessKey"], reply.json()["key"]
    holder = shared.holder(access_key)
    eventually(lambda: holder("GET", "/v1/plan").status == 200)
    admitted = collections.Counter()
    for plan in ("free", "pro"):
        reply = admin("PATCH", f"/v1/keys/{key['keyId']}?wait=enforced", {"plan": plan})
        assert reply.status == 200, reply.body
        for _ in range(4):
            status = holder("GET", "/v1/tokens").status
            admitted[plan, "admitted"] += status == 200
    eventually(lambda: {g: n for g, n in sums(usage(shared, "?groupBy=plan")).items() if g[0] and g[1] == "admitted"} == +admitted, pause=0.2)
    assert usage(shared, "?plan=pro")["total"]["admitted"] == admitted["pro", "admitted"]


def test_what_cannot_be_answered_is_400(shared):
    admin = shared.admin()
    for query, pointer in (("?from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z&resolution=minute", "resolution"),
                           ("?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"), ("?from=yesterday", "from"),
                           ("?groupBy=country", "groupBy"), ("?top=3", "top"), ("?groupBy=key&top=101", "top"),
                           ("?keyId=x", "keyId"), ("?userId=a&plan=b", "keyId"), ("?resolution=second", "resolution"),
                           ("?unknown=1", "unknown")):
        reply = admin("GET", f"/v1/usage{query}")
        assert reply.status == 400, (query, reply.body)
        assert any(pointer in error["pointer"] for error in reply.json()["errors"]), reply.body
    assert shared.keys.client()("GET", "/v1/usage").status == 401
    reply = admin("GET", "/v1/usage?from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z")
    assert reply.json()["resolution"] == "hour"


def test_a_key_says_when_it_was_used_last_and_from_where(shared):
    access_key, key = shared.admitted_key(user="last")
    path = f"/v1/keys/{key['keyId']}"
    admin = shared.admin()
    fresh = admin("GET", path).json()
    assert (fresh["lastUsedAt"], fresh["lastAddress"]) == (None, None)
    before = now()
    assert shared.holder(access_key)("GET", "/v1/tokens").status == 200
    eventually(lambda: admin("GET", path).json()["lastUsedAt"], pause=0.2)
    used = admin("GET", path).json()
    assert before - datetime.timedelta(seconds=1) <= moment(used["lastUsedAt"]) <= now()
    assert used["lastAddress"] == "127.0.0.0/24"
    (listed,) = admin("GET", "/v1/keys?userId=last").json()["keys"]
    assert listed["lastUsedAt"] == used["lastUsedAt"]
    assert used["lastUsedAt"] in shared.cli("key", "list").stdout
    assert used["lastUsedAt"] in shared.cli("key", "show", key["keyId"]).stdout


def test_keys_that_nobody_uses_are_listed(shared):
    used, key = shared.admitted_key(user="busy")
    _, idle = shared.admitted_key(user="idle")
    admin = shared.admin()
    assert admin("GET", "/v1/keys?unusedFor=90d").json()["keys"] == [], "all are younger"
    assert admin("GET", "/v1/keys?unusedFor=soon").status == 400
    assert shared.cli("key", "list", "--unused", "90d", "-q").stdout == ""
    time.sleep(4)  # between creation and use
    assert shared.holder(used)("GET", "/v1/tokens").status == 200
    path = f"/v1/keys/{key['keyId']}"
    eventually(lambda: admin("GET", path).json()["lastUsedAt"], pause=0.2)
    between = moment(key["createdAt"]) + (moment(admin("GET", path).json()["lastUsedAt"]) - moment(key["createdAt"])) / 2

    def unused(query):
        seconds = int((now() - between).total_seconds())
        return [found["keyId"] for found in admin("GET", f"/v1/keys?unusedFor={seconds}s{query}").json()["keys"]]
    eventually(lambda: idle["keyId"] in unused("") and key["keyId"] not in unused(""))
    eventually(lambda: unused("&userId=busy") == [] and unused("&userId=idle&limit=1") == [idle["keyId"]])


def test_the_command_line_shows_usage(shared):
    access_key, key = shared.admitted_key(user="typist")
    for _ in range(3):
        assert shared.holder(access_key)("GET", "/v1/tokens").status == 200
    eventually(lambda: usage(shared, "?userId=typist")["total"]["admitted"] == 3, pause=0.2)
    table = shared.cli("usage").stdout
    assert "typist" in table and " 3 " in table
    lines = shared.cli("usage", "--key", key["keyId"], "--last", "1h", "-o", "csv").stdout.splitlines()
    assert lines[0] == "time,group,admitted,limited,wouldLimit,refused,cost"
    assert sum(int(line.split(",")[2]) for line in lines[1:]) == 3
    assert json.loads(shared.cli("usage", "--user", "typist", "-o", "json").stdout)["total"]["admitted"] == 3
    assert shared.cli("usage", "--last", "never", check=False).returncode == 2


@pytest.mark.engines("sqlite", reason="a file of the replica's own")
def test_requests_are_answered_and_counted_while_usage_cannot_be_written(stack):
    access_key, _ = stack.admitted_key()
    file = stack.data_dir / "usage.db"
    eventually(file.exists)
    stack.tokens.stop()
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            (stack.data_dir / f"usage.db{suffix}").unlink()
    file.mkdir()
    stack.tokens.start()
    for _ in range(5):
        assert stack.holder(access_key)("GET", "/v1/tokens").status == 200
    eventually(lambda: stack.tokens.metrics("latchkey_usage_failures_total")[0] > 0)
    assert usage_or_503(stack) == 503
    file.rmdir()
    eventually(lambda: usage_or_503(stack) == 5, pause=0.2)


def usage_or_503(stack):
    with contextlib.suppress(http.client.HTTPException):
        reply = stack.admin()("GET", "/v1/usage")
        return reply.json()["total"]["admitted"] if reply.status == 200 else reply.status
    return None

"""Limits as they are sold: several windows, budgets of days and months, costs, one limit over all keys of a user."""

import collections
import concurrent.futures
import http.client
import time

import pytest

from latchkey import LONG, eventually

PER_MINUTE = {"name": "per-minute", "requests": 5, "window": "60s", "per": "key", "mode": "enforce"}
BURST = {"name": "burst", "requests": 10, "window": "1s", "per": "user", "mode": "enforce"}
MINUTE = {"name": "minute", "requests": 600, "window": "60s", "per": "user", "mode": "enforce"}
DAILY = {"name": "daily", "requests": 5000, "period": "day", "timeZone": "UTC", "per": "user", "mode": "enforce"}
CONNECTIONS = 64

keeps_counts = pytest.mark.engines("sqlite", "postgres", reason="about the counts of a limiter without a shared store")


def put(admin, path, body, **headers):
    return admin("PUT", path, body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def plan(stack, *limits, name="pro"):
    made = put(stack.admin(), f"/v1/plans/{name}?wait=enforced", {"limits": list(limits)}, If_None_Match="*")
    assert made.status == 201, made


def key_of_plan(stack, user="alice", name="pro", **more):
    issued = stack.admin()("POST", "/v1/keys?wait=enforced", {"userId": user, "plan": name, **more})
    assert issued.status == 201, issued
    access_key = issued.json()["accessKey"]
    eventually(lambda: stack.holder(access_key)("GET", "/v1/plan").status == 200)
    return access_key


def left(stack, access_key):
    """What remains of each limit, as the holder is told."""
    return {limit["name"]: limit.get("remaining") for limit in stack.holder(access_key)("GET", "/v1/plan").json()["limits"]}


def is_left(stack, access_key, expected):
    """A replica over a shared limiter tells what it knows, and asks for what it does not."""
    eventually(lambda: left(stack, access_key) == expected)


def ask(client, path="/v1/tokens"):
    """A disk that stalls makes a request wait for a second, then it is 503 with nothing taken: then it is asked again."""
    while (reply := client("GET", path)).status == 503 and reply.problem == "limiter-unavailable":
        pass
    return reply


def violated(reply):
    assert reply.status in (403, 429), reply
    return reply.problem, reply.json()["violated-policies"]


def midnight_is_far(seconds=120):
    """A test that counts a day waits where the day is about to end."""
    rest = 86_400 - time.time() % 86_400
    if rest < seconds:
        time.sleep(rest + 1)


def at_once(stack, keys, count, path="/v1/tokens"):
    """`count` requests over 64 connections, as fast as they go; (sent, answered, status, problem) of each."""
    def one(number):
        client = stack.holder(keys[number % len(keys)])
        for _ in range(count // CONNECTIONS):
            sent = time.monotonic()
            reply = ask(client, path)
            yield sent, time.monotonic(), reply.status, None if reply.status == 200 else reply.problem
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        return [done for part in pool.map(lambda number: list(one(number)), range(CONNECTIONS)) for done in part]


def most_within(admitted, seconds):
    """The most that certainly lie within so many seconds of each other: from the first one's sending to the last one's answer."""
    done = sorted(admitted, key=lambda times: times[1])
    return max((sum(sent > answered - seconds for sent, _ in done[:i + 1]) for i, (_, answered) in enumerate(done)), default=0)


def test_ten_a_second_600_a_minute_and_5000_a_day_over_all_keys_of_a_user(stack):
    """64 connections over five keys; each limit is exact, and what is promised is also given."""
    midnight_is_far()
    plan(stack, BURST, {**MINUTE, "requests": 60}, DAILY)
    keys = [key_of_plan(stack) for _ in range(5)]
    other = key_of_plan(stack, user="bob")
    begun, done = time.monotonic(), []
    # All 60 of the minute are given, however slow the machine; then the minute refuses as well.
    while time.monotonic() < begun + (70 if LONG else 8) or sum(status == 200 for _, _, status, _ in done) < 60:
        done += at_once(stack, keys, CONNECTIONS)
        assert time.monotonic() < begun + 300, "refused without need"
    admitted = [(sent, answered) for sent, answered, status, _ in done if status == 200]
    assert {(status, problem) for _, _, status, problem in done} == {(200, None), (429, "rate-limited")}
    assert most_within(admitted, 1) <= 10
    assert most_within(admitted, 60) <= 60
    eventually(lambda: left(stack, keys[0])["daily"] == 5000 - len(admitted))  # what was refused took nothing
    assert left(stack, other) == {"burst": 10, "minute": 60, "daily": 5000}, "another user has counts of its own"


def test_a_quota_is_exact_over_many_connections(stack):
    midnight_is_far()
    plan(stack, {**DAILY, "requests": 100})
    keys = [key_of_plan(stack) for _ in range(3)]
    done = at_once(stack, keys, 4 * CONNECTIONS)
    outcomes = collections.Counter((status, problem) for _, _, status, problem in done)
    assert outcomes == {(200, None): 100, (429, "quota-exceeded"): 4 * CONNECTIONS - 100}
    refused = ask(stack.holder(keys[0]), "/v1/authorize")
    assert violated(refused) == ("quota-exceeded", ["daily"])
    rest = 86_400 - time.time() % 86_400
    assert rest - 5 <= int(refused.headers["Retry-After"]) <= rest + 60
    assert refused.headers["RateLimit-Policy"] == '"daily";q=100' and refused.headers["RateLimit"].startswith('"daily";r=0;t=')


@keeps_counts
def test_what_was_admitted_is_remembered_whatever_ends_the_process(stack):
    """kill -9 in mid-quota, again and again: never over the budget; and an orderly stop forgets nothing and burns nothing."""
    midnight_is_far(300)
    kills = 20 if LONG else 4
    budget = 800 * kills
    plan(stack, {**DAILY, "requests": budget}, {"name": "hourly", "requests": 2 * budget, "window": "1h"})
    access_key = key_of_plan(stack)
    admitted = 0
    replica = stack.replicas[0]
    for _ in range(kills):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            def burst(_):
                client, taken = replica.client(access_key), 0
                try:
                    for _ in range(200):
                        taken += ask(client, "/v1/tokens").status == 200
                except (OSError, http.client.HTTPException):
                    pass
                return taken
            asked = [pool.submit(burst, n) for n in range(8)]
            time.sleep(0.1)
            replica.kill()
            admitted += sum(each.result() for each in asked)
        replica.start()
        eventually(lambda: replica.client(access_key)("GET", "/v1/plan").status == 200)
        assert left(stack, access_key)["daily"] <= budget - admitted
        assert left(stack, access_key)["hourly"] <= 2 * budget - admitted
    while (reply := ask(replica.client(access_key))).status == 200:
        admitted += 1
        assert admitted <= budget
    assert violated(reply)[0] == "quota-exceeded"
    put(stack.admin(), "/v1/plans/pro?wait=enforced", {"limits": [{**DAILY, "requests": 2 * budget}]}, If_Match="*")
    before = left(stack, access_key)
    replica.stop()
    replica.start()
    eventually(lambda: replica.client(access_key)("GET", "/v1/plan").status == 200)
    assert left(stack, access_key) == before, "an orderly stop burns nothing"


def test_a_change_of_the_plan_is_in_force_at_once_for_all_its_keys(stack):
    ten = {"name": "ten", "requests": 3, "window": "10m", "per": "key", "mode": "enforce"}
    plan(stack, ten)
    keys = [key_of_plan(stack, user=f"user-{n}") for n in range(3)]
    for access_key in keys:
        assert [ask(stack.holder(access_key)).status for _ in range(4)] == [200] * 3 + [429]
    changed = put(stack.admin(), "/v1/plans/pro?wait=enforced", {"limits": [{**ten, "requests": 5}]}, If_Match="*")
    assert changed.json()["enforcement"]["state"] == "confirmed", changed
    for access_key in keys:
        assert [ask(stack.holder(access_key)).status for _ in range(3)] == [200] * 2 + [429], "the count goes on"


def test_a_user_s_and_a_key_s_own_limits_replace_those_of_the_plan(stack):
    plan(stack, {**DAILY, "requests": 1}, PER_MINUTE)
    put(stack.admin(), "/v1/users/alice?wait=enforced", {"limits": [{**DAILY, "requests": 40}]}, If_None_Match="*")
    first, second = key_of_plan(stack), key_of_plan(stack, requestsPerMinute=30)
    midnight_is_far()
    assert [ask(stack.holder(first)).status for _ in range(6)] == [200] * 5 + [429]
    is_left(stack, first, {"per-minute": 0, "daily": 35})
    is_left(stack, second, {"per-minute": 30, "daily": 35})
    shown = stack.keys.client(second)("GET", "/v1/plan").json()
    assert shown["requestsPerMinute"] == 30
    assert shown["limits"] == [{**PER_MINUTE, "requests": 30}, {**DAILY, "requests": 40}], "without what only a replica knows"


def test_an_unlimited_key_has_no_limit_whatever_its_plan_says(stack):
    plan(stack, PER_MINUTE)
    access_key = key_of_plan(stack, limits=[])
    replies = [ask(stack.holder(access_key)) for _ in range(20)]
    assert {reply.status for reply in replies} == {200} and "RateLimit" not in replies[0].headers
    assert stack.holder(access_key)("GET", "/v1/plan").json()["limits"] == []
    key = stack.admin()("GET", "/v1/keys").json()["keys"][0]
    assert key["limits"] == [] and key["effective"]["limits"] == [] and key["effective"]["plan"] == "pro"


def test_a_rule_says_what_a_request_costs(make_stack, tmp_path):
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nname = "report"\ncost = 40\n[[rule]]\nname = "huge"\ncost = 101\n[[rule]]\nname = "look"\ncost = 0\n'
                     '[[rule]]\nmatch = "GET /v1/tokens"\ncost = 7\n[[rule]]\nmatch = "* /*"\n')
    stack = make_stack(LATCHKEY_RULES=str(rules)).start()
    plan(stack, {"name": "hundred", "requests": 100, "window": "10m"})
    client = stack.holder(key_of_plan(stack))
    assert ask(client, "/v1/rules/report/authorize").headers["RateLimit"].startswith('"hundred";r=60;')
    assert ask(client, "/v1/authorize/x").headers["RateLimit"].startswith('"hundred";r=59;')
    assert ask(client, "/v1/tokens").headers["RateLimit"].startswith('"hundred";r=52;')
    assert ask(client, "/v1/rules/report/authorize").status == 200
    refused = ask(client, "/v1/rules/report/authorize")
    assert violated(refused) == ("rate-limited", ["hundred"])
    assert refused.headers["RateLimit"].startswith('"hundred";r=12;'), "what is refused takes nothing"
    assert violated(ask(client, "/v1/rules/huge/authorize")) == ("cost-exceeds-limit", ["hundred"])
    assert ask(client, "/v1/rules/look/authorize").headers["RateLimit"].startswith('"hundred";r=12;')
    plain = stack.holder(stack.admitted_key(requests_per_minute=50)[0])
    assert ask(plain, "/v1/rules/report/authorize").headers["RateLimit"].startswith('"per-minute";r=10;')
    assert violated(ask(plain, "/v1/rules/report/authorize")) == ("rate-limited", ["per-minute"])
    assert violated(ask(plain, "/v1/rules/huge/authorize")) == ("cost-exceeds-limit", ["per-minute"])


def test_an_observed_limit_refuses_nothing_and_is_shown(stack):
    plan(stack, {"name": "trial", "requests": 2, "window": "10m", "mode": "observe"})
    access_key = key_of_plan(stack)
    replies = [ask(stack.holder(access_key)) for _ in range(5)]
    assert [reply.status for reply in replies] == [200] * 5 and "RateLimit" not in replies[0].headers
    is_left(stack, access_key, {"trial": 0})
    assert sum(stack.tokens.metrics("latchkey_would_limit_total")) == 3


@keeps_counts
def test_what_has_no_room_is_refused_and_never_admitted(make_stack):
    stack = make_stack(LATCHKEY_LIMITER_MAX_COUNTERS="1").start()
    outcomes = set()
    for n in range(8):
        access_key, _ = stack.admitted_key(user=f"user-{n}")
        reply = ask(stack.holder(access_key))
        outcomes.add((reply.status, None if reply.status == 200 else reply.problem))
    assert outcomes == {(200, None), (503, "limiter-full")}, outcomes
    eventually(lambda: "LATCHKEY_LIMITER_MAX_COUNTERS" in stack.replicas[0].tail())


BOUNDS = [
    ({"name": "a", "requests": 1, "window": "1s"}, None),
    ({"name": "a" * 32, "requests": 1_000_000_000, "window": "24h"}, None),
    ({"name": "month", "requests": 1, "period": "month", "timeZone": "America/Argentina/ComodRivadavia", "anchorDay": 31}, None),
    ({"name": "week", "requests": 1, "period": "week", "anchorDay": 7, "per": "user", "mode": "observe"}, None),
    ({"name": "a" * 33, "requests": 1, "window": "1s"}, "/limits/0/name"),
    ({"name": "A", "requests": 1, "window": "1s"}, "/limits/0/name"),
    ({"name": "a", "requests": 0, "window": "1s"}, "/limits/0/requests"),
    ({"name": "a", "requests": 1_000_000_001, "window": "1s"}, "/limits/0/requests"),
    ({"name": "a", "requests": 1, "window": "0s"}, "/limits/0/window"),
    ({"name": "a", "requests": 1, "window": "86401s"}, "/limits/0/window"),
    ({"name": "a", "requests": 1, "period": "year"}, "/limits/0/period"),
    ({"name": "a", "requests": 1, "period": "month", "anchorDay": 0}, "/limits/0/anchorDay"),
    ({"name": "a", "requests": 1, "period": "month", "anchorDay": 32}, "/limits/0/anchorDay"),
    ({"name": "a", "requests": 1, "period": "week", "anchorDay": 8}, "/limits/0/anchorDay"),
    ({"name": "a", "requests": 1, "period": "day", "timeZone": "Europe/Nowhere"}, "/limits/0/timeZone"),
    ({"name": "a", "requests": 1, "period": "day", "timeZone": "../../etc/passwd"}, "/limits/0/timeZone"),
]


def test_the_bounds_of_every_member_wherever_a_limit_may_stand(shared):
    admin, keys = shared.admin(), []
    for number, (limit, pointer) in enumerate(BOUNDS):
        for kind in ("plans", "users"):
            reply = put(admin, f"/v1/{kind}/bound-{number}", {"limits": [limit]})
            assert reply.status == (201 if pointer is None else 400), (limit, reply)
            if pointer:
                assert [error["pointer"] for error in reply.json()["errors"]] == [pointer], (limit, reply.json())
        of_key = {key: value for key, value in limit.items() if key != "per"}
        reply = admin("POST", "/v1/keys", {"userId": "alice", "limits": [of_key]})
        assert reply.status == (201 if pointer is None else 400), (limit, reply)
        if pointer is None:
            keys.append(reply.json()["key"])
    assert [key["limits"][0]["requests"] for key in keys] == [1, 1_000_000_000, 1, 1]
    eight = [{"name": f"w{n}", "requests": 1, "window": f"{n}s"} for n in range(1, 9)]
    assert admin("POST", "/v1/keys", {"userId": "alice", "limits": eight}).status == 201
    nine = [*eight, {"name": "w9", "requests": 1, "window": "9s"}]
    assert admin("POST", "/v1/keys", {"userId": "alice", "limits": nine}).status == 400
    made = put(admin, "/v1/plans/eight", {"limits": eight})
    assert made.status == 201
    too_many = admin("POST", "/v1/keys", {"userId": "alice", "plan": "eight", "requestsPerMinute": 5})
    assert too_many.status == 400 and too_many.json()["errors"][0]["pointer"] == "/limits", "eight in force, and a ninth"
    per_user = admin("POST", "/v1/keys", {"userId": "alice", "limits": [{**PER_MINUTE, "per": "user"}]})
    assert per_user.status == 400 and per_user.json()["errors"][0]["pointer"] == "/limits/0/per"


def test_requests_per_minute_stays_the_shorthand(shared):
    admin = shared.admin()
    key = admin("POST", "/v1/keys", {"userId": "alice", "requestsPerMinute": 7}).json()["key"]
    path = f"/v1/keys/{key['keyId']}"
    assert key["requestsPerMinute"] == 7 and key["limits"] == [{**PER_MINUTE, "requests": 7}]
    hourly = {"name": "hourly", "requests": 9, "window": "1h", "per": "key", "mode": "enforce"}
    both = admin("PATCH", path, {"limits": [{**PER_MINUTE, "requests": 8}, hourly]}).json()
    assert both["requestsPerMinute"] == 8 and both["limits"] == [{**PER_MINUTE, "requests": 8}, hourly]
    dropped = admin("PATCH", path, {"requestsPerMinute": None}).json()
    assert dropped["requestsPerMinute"] is None and dropped["limits"] == [hourly]
    observed = admin("PATCH", path, {"limits": [{**PER_MINUTE, "mode": "observe"}]}).json()
    assert observed["requestsPerMinute"] is None and observed["limits"] == [{**PER_MINUTE, "mode": "observe"}]
    back = admin("PATCH", path, {"requestsPerMinute": 1_000_000}).json()
    assert back["limits"] == [{**PER_MINUTE, "requests": 1_000_000}]
    assert admin("PATCH", path, {"requestsPerMinute": 1_000_001}).status == 400
    wrong = admin("PATCH", path, {"limits": [{**PER_MINUTE, "window": "1h"}]})
    assert wrong.status == 400 and wrong.json()["errors"][0]["pointer"] == "/limits/0/window"

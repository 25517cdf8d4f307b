"""Users and plans: one change holds for all keys of a user, or all that have a plan."""

import json

from latchkey import eventually
from report import measured

PER_MINUTE = {"name": "per-minute", "requests": 5, "window": "60s", "per": "key", "mode": "enforce"}


def keys_of(stack, user, count, **options):
    return [stack.admitted_key(user=user, requests_per_minute=1000, **options) for _ in range(count)]


def refusals(stack, access_key):
    """What each replica answers now."""
    replies = [replica.client(access_key)("GET", "/v1/tokens") for replica in stack.replicas]
    return {(r.status, r.problem) if r.status != 200 else (200, None) for r in replies}


def put(admin, path, body, **headers):
    return admin("PUT", path, body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_a_disabled_user_is_refused_with_all_keys_once_it_is_confirmed(stack):
    keys = keys_of(stack, "mallory", 3)
    other, _ = stack.admitted_key(user="alice")
    admin = stack.admin()
    made = put(admin, "/v1/users/mallory", {})
    assert made.status == 201 and made.json()["disabled"] is False
    for i in range(5):
        done = admin("PATCH", "/v1/users/mallory?wait=enforced&timeout=1m", {"disabled": True})
        assert done.status == 200 and done.json()["enforcement"]["state"] == "confirmed", done
        for access_key, _ in keys:
            assert refusals(stack, access_key) == {(401, "user-disabled")}, i
        assert refusals(stack, other) == {(200, None)}
        done = admin("PATCH", "/v1/users/mallory?wait=enforced&timeout=1m", {"disabled": False})
        assert done.status == 200
        for access_key, _ in keys:
            assert refusals(stack, access_key) == {(200, None)}, i
    measured("disabling a user, confirmed", done.json()["enforcement"]["waitedMillis"] / 1000)


def test_a_key_keeps_its_own_status_under_a_disabled_user(stack):
    (access_key, key), = keys_of(stack, "bob", 1)
    admin = stack.admin()
    put(admin, "/v1/users/bob", {})
    admin("PATCH", "/v1/users/bob?wait=enforced&timeout=1m", {"disabled": True})
    shown = admin("GET", f"/v1/keys/{key['keyId']}").json()
    assert shown["status"] == "active" and shown["effective"]["userDisabled"] is True
    assert stack.keys.client(access_key)("GET", "/v1/plan").problem == "user-disabled"
    admin("PATCH", f"/v1/keys/{key['keyId']}?wait=enforced&timeout=1m", {"disabled": True})
    assert refusals(stack, access_key) == {(401, "key-disabled")}, "the key's own status comes first"
    gone = admin("DELETE", "/v1/users/bob")
    assert gone.status == 409 and gone.problem == "in-use", "the keys would be let in again"
    admin("DELETE", f"/v1/keys/{key['keyId']}")
    assert admin("DELETE", "/v1/users/bob").status == 204
    assert admin("GET", "/v1/users/bob").status == 404


def test_preconditions_and_repetitions(stack):
    admin = stack.admin()
    made = put(admin, "/v1/users?userId=carol%2Fx", {"metadata": {"n": 1.0}}, Idempotency_Key="once")
    assert made.status == 201
    again = put(admin, "/v1/users?userId=carol%2Fx", {"metadata": {"n": 1.0}}, Idempotency_Key="once")
    assert (again.status, again.body) == (201, made.body)
    assert put(admin, "/v1/users?userId=carol%2Fx", {}, Idempotency_Key="once").status == 422
    assert put(admin, "/v1/users/carol%2Fx", {}).status == 428
    assert put(admin, "/v1/users/carol%2Fx", {}, If_None_Match="*").status == 412
    assert put(admin, "/v1/users/nobody", {}, If_Match="*").status == 412
    changed = put(admin, "/v1/users/carol%2Fx", {}, If_Match=made.headers["ETag"])
    assert changed.status == 200 and changed.headers["ETag"] != made.headers["ETag"]
    assert put(admin, "/v1/users/carol%2Fx", {}, If_Match=made.headers["ETag"]).status == 412
    shown = admin("GET", "/v1/users?userId=carol%2Fx")
    assert shown.json() == changed.json() and shown.headers["ETag"] == changed.headers["ETag"]
    assert admin("PATCH", "/v1/users/nobody", {"disabled": True}).status == 404
    assert put(admin, "/v1/users/dora", {"disabled": True}).status == 400
    assert [u["userId"] for u in admin("GET", "/v1/users").json()["users"]] == ["carol/x"]


def test_a_plan_changes_for_all_its_keys_at_once(stack):
    admin = stack.admin()
    assert put(admin, "/v1/plans/pro", {"limits": [PER_MINUTE]}).status == 201
    issued = admin("POST", "/v1/keys", {"userId": "erin", "plan": "pro"})
    assert issued.status == 201, issued
    key, access_key = issued.json()["key"], issued.json()["accessKey"]
    assert key["requestsPerMinute"] is None and key["limits"] is None
    assert key["effective"] == {"plan": "pro", "limits": [PER_MINUTE], "scopes": None, "networks": None,
                                "userDisabled": False}
    holder = stack.holder(access_key)
    eventually(lambda: holder("GET", "/v1/plan").status == 200)
    assert holder("GET", "/v1/plan").json()["requestsPerMinute"] == 5
    assert [holder("GET", "/v1/tokens").status for _ in range(6)] == [200] * 5 + [429]
    assert put(admin, "/v1/plans/pro?dryRun=true", {"limits": []}, If_Match="*").problem == "no-limit"
    assert put(admin, "/v1/plans/pro?dryRun=true", {"limits": [PER_MINUTE]}, If_Match="*").json() == {"keys": 1}
    raised = admin("PATCH", "/v1/plans/pro?wait=enforced&timeout=1m", {"limits": [{**PER_MINUTE, "requests": 8}]})
    assert raised.json()["enforcement"]["state"] == "confirmed", raised
    assert [holder("GET", "/v1/tokens").status for _ in range(4)] == [200] * 3 + [429], "the count goes on"
    assert admin("GET", "/v1/plans/pro").json()["keys"] == 1
    refused = admin("PATCH", "/v1/plans/pro", {"limits": []})
    assert refused.status == 409 and refused.problem == "no-limit" and key["keyId"] in refused.json()["detail"]
    assert admin("DELETE", "/v1/plans/pro").problem == "in-use"
    own = admin("PATCH", f"/v1/keys/{key['keyId']}?wait=enforced&timeout=1m", {"requestsPerMinute": 1000, "plan": None})
    assert own.json()["effective"]["plan"] is None, own
    assert {holder("GET", "/v1/tokens").status for _ in range(20)} == {200}
    assert admin("DELETE", "/v1/plans/pro").status == 204


def test_more_limits_than_a_key_may_have_are_refused_whichever_row_brings_them(stack):
    admin = stack.admin()

    def named(*names):
        return [{"name": name, "requests": 5, "window": "60s"} for name in names]

    assert put(admin, "/v1/plans/wide", {"limits": named(*"abcdef")}).status == 201
    put(admin, "/v1/users/kate", {"plan": "wide", "limits": named("g", "h")})
    key = admin("POST", "/v1/keys", {"userId": "kate"}).json()["key"]
    assert len(key["effective"]["limits"]) == 8
    own = admin("PATCH", f"/v1/keys/{key['keyId']}", {"requestsPerMinute": 5})
    assert own.status == 400 and own.json()["errors"][0]["pointer"] == "/limits"
    for path, body in (("/v1/plans/wide", {"limits": named(*"abcdefi")}), ("/v1/users/kate", {"limits": named(*"ghi")})):
        refused = admin("PATCH", path, body)
        assert refused.status == 400, (path, refused)
    refused = put(admin, "/v1/plans/wide?dryRun=true", {"limits": named(*"abcdefi")}, If_Match="*")
    assert refused.status == 400 and key["keyId"] in refused.json()["detail"], refused
    assert admin("PATCH", "/v1/plans/wide", {"limits": named(*"abcdeg")}).status == 200, "g replaces the user's"
    admin("PATCH", "/v1/users/kate", {"limits": []})
    other = admin("PATCH", f"/v1/keys/{key['keyId']}", {"limits": named("x", "y")})
    assert other.status == 200, other
    assert admin("PATCH", "/v1/users/kate", {"limits": named("z")}).status == 400
    assert admin("GET", "/v1/users/kate").json()["limits"] == []


def test_limits_scopes_and_networks_from_the_command_line(stack):
    stack.cli("plans", "put", "gold", "--limit", "burst=10/1s", "--limit",
              "monthly=10000/month,user,zone=Europe/Berlin,anchor=15,observe", "--scope", "tokens:read", "--network", "10.0.0.0/8")
    plan = stack.admin()("GET", "/v1/plans/gold").json()
    assert [limit["name"] for limit in plan["limits"]] == ["burst", "monthly"]
    assert {"period": "month", "timeZone": "Europe/Berlin", "anchorDay": 15, "per": "user",
            "mode": "observe"}.items() <= plan["limits"][1].items()
    assert (plan["scopes"], plan["networks"]) == (["tokens:read"], ["10.0.0.0/8"])

    def update(*options):
        return json.loads(stack.cli("key", "update", made["keyId"], *options, "-o", "json").stdout)

    made = json.loads(stack.cli("key", "create", "--user", "lea", "--plan", "gold", "--limit", "daily=5/day", "--scope", "a",
                                "--scope", "b", "--no-networks", "-o", "json").stdout)["key"]
    assert (made["scopes"], made["networks"], made["limits"][0]["period"]) == (["a", "b"], [], "day")
    changed = update("--scope", "", "--network", "::1", "--limit", "")
    assert (changed["scopes"], changed["networks"], changed["limits"]) == (None, ["::1/128"], None)
    changed = update("--requests-per-minute", "7", "--limit", "daily=9/day", "--no-scopes")
    assert changed["requestsPerMinute"] == 7 and changed["scopes"] == []
    assert update("--unlimited")["effective"]["limits"] == []
    wrong = stack.cli("key", "update", made["keyId"], "--limit", "daily=many/day", check=False)
    assert wrong.returncode in (1, 2) and "daily=many/day" in wrong.stderr


def test_a_key_without_limit_or_of_an_unknown_plan_is_refused(stack):
    admin = stack.admin()
    assert admin("POST", "/v1/keys", {"userId": "frank"}).json()["errors"][0]["pointer"] == "/requestsPerMinute"
    both = admin("POST", "/v1/keys", {"userId": "frank", "requestsPerMinute": 5, "limits": []})
    assert both.status == 400
    assert admin("POST", "/v1/keys", {"userId": "frank", "plan": "none-such"}).json()["errors"][0]["pointer"] == "/plan"


def test_a_key_may_say_that_it_needs_no_limit(stack):
    issued = stack.admin()("POST", "/v1/keys", {"userId": "grace", "limits": []}).json()
    holder = stack.holder(issued["accessKey"])
    eventually(lambda: holder("GET", "/v1/tokens").status == 200)
    reply = holder("GET", "/v1/tokens")
    assert reply.status == 200 and "RateLimit" not in reply.headers
    assert stack.admin()("GET", f"/v1/keys/{issued['key']['keyId']}").json()["limits"] == []


def test_by_hand_in_the_store(stack):
    (access_key, _), = keys_of(stack, "heidi", 1)
    put(stack.admin(), "/v1/users/heidi", {})
    stack.sql("UPDATE users SET disabled = (disabled IS NOT TRUE) WHERE user_id = 'heidi'")
    eventually(lambda: refusals(stack, access_key) == {(401, "user-disabled")})
    change = stack.admin()("GET", "/v1/changes?limit=1000").json()["changes"][-1]
    assert (change["action"], change["actor"]) == ("user-disable", "unknown") and change["user"]["disabled"] is True


def test_the_command_line(stack):
    (access_key, _), = keys_of(stack, "ivan", 1)
    stack.cli("user", "disable", "ivan", "--yes", "--wait")
    assert refusals(stack, access_key) == {(401, "user-disabled")}
    assert json.loads(stack.cli("user", "show", "ivan", "-o", "json").stdout)["disabled"] is True
    stack.cli("user", "enable", "ivan", "--wait")
    assert refusals(stack, access_key) == {(200, None)}
    stack.cli("plans", "put", "basic", "--requests-per-minute", "7")
    stack.cli("user", "put", "ivan", "--plan", "basic", "--replace")
    assert "basic" in stack.cli("plans", "list").stdout
    key = json.loads(stack.cli("key", "create", "--user", "ivan", "--plan", "basic", "-o", "json").stdout)["key"]
    assert key["effective"]["limits"][0]["requests"] == 7
    assert stack.cli("plans", "delete", "basic", "--yes", check=False).returncode == 1
    assert stack.cli("user", "list", "--quiet").stdout.split() == ["ivan"]

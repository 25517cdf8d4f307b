"""The audit trail over HTTP and by the CLI: filters, before and after, from where and why; and its chain."""

import csv
import io
import json

from latchkey import eventually


def actions(page):
    return [change["action"] for change in page["changes"]]


def changes(stack, query=""):
    reply = stack.admin()("GET", "/v1/changes" + query)
    assert reply.status == 200, reply
    return reply.json()


def verify(stack, check=True):
    return stack.cli("store", "verify", check=check, env=stack.store.settings)


def test_an_entry_tells_what_changed_from_where_and_why(stack):
    _, key = stack.create(user="alice", requests_per_minute=60)
    path = f"/v1/keys/{key['keyId']}"
    admin = stack.admin()
    assert admin("PATCH", path, {"requestsPerMinute": 5, "reason": "abuse, ticket 7"}).status == 200
    assert admin("PATCH", path, {"disabled": True}, headers={"User-Agent": "a\tb/1"}).status == 200
    assert admin("DELETE", path, {"reason": "left"}).status == 204
    made, lowered, disabled, deleted = changes(stack, f"?keyId={key['keyId']}")["changes"]
    assert "changed" not in made and "reason" not in made
    assert lowered["changed"]["requestsPerMinute"] == {"before": 60, "after": 5}
    assert set(lowered["changed"]) == {"requestsPerMinute", "limits"}
    assert lowered["reason"] == "abuse, ticket 7" and lowered["remoteAddress"] == "127.0.0.1"
    assert disabled["changed"] == {"status": {"before": "active", "after": "disabled"}}
    assert "reason" not in disabled and disabled["userAgent"]
    assert deleted["reason"] == "left" and deleted["actor"] == made["actor"]
    for wrong in (7, "x" * 513, "a\u0007b"):
        assert admin("PATCH", path, {"name": "n", "reason": wrong}).status == 400, wrong


def test_filters_and_pages_in_both_orders(stack):
    keys = [stack.create(user=user)[1] for user in ("alice", "bob", "alice")]
    admin = stack.admin("--subject", "eve")
    assert admin("PATCH", f"/v1/keys/{keys[1]['keyId']}", {"name": "x"}).status == 200
    assert admin("PUT", "/v1/users/alice", {}).status == 201
    newest = changes(stack, "?order=desc")
    assert actions(newest)[:3] == ["user-create", "update", "create"] and newest["more"] is False
    assert newest["changes"][::-1] == changes(stack)["changes"]
    assert actions(changes(stack, "?userId=alice")) == ["create", "create", "user-create"]
    assert actions(changes(stack, f"?keyId={keys[1]['keyId']}")) == ["create", "update"]
    assert actions(changes(stack, "?actor=eve&order=desc")) == ["user-create", "update"]
    assert actions(changes(stack, "?actor=nobody")) == []
    at = newest["changes"][1]["at"]
    assert actions(changes(stack, f"?order=desc&since={at}"))[:2] == ["user-create", "update"]
    assert "update" not in actions(changes(stack, f"?until={at}"))
    first = changes(stack, "?order=desc&userId=alice&limit=2")
    assert actions(first) == ["user-create", "create"] and first["more"] is True
    second = changes(stack, f"?order=desc&userId=alice&limit=2&after={first['nextAfter']}")
    assert actions(second) == ["create"] and second["more"] is False
    for wrong in ("order=up", "keyId=x", "since=yesterday", "until=", "colour=red", "order=asc&order=desc"):
        assert stack.admin()("GET", f"/v1/changes?{wrong}").status == 400, wrong
    streamed = stack.admin()("GET", "/v1/changes?actor=eve", headers={"Accept": "text/event-stream"})
    assert streamed.status == 400, "a stream has every change"


def test_an_edit_by_hand_is_signed_by_the_database(stack):
    stack.create(user="carol")
    stack.sql("UPDATE access_keys SET name = 'by hand' WHERE user_id = 'carol'")
    page = eventually(lambda: [c for c in changes(stack, "?actor=unknown")["changes"]])
    assert page[0]["changed"] == {"name": {"before": "", "after": "by hand"}}
    assert page[0]["application"]
    if "LATCHKEY_STORE" in stack.store.settings:
        assert page[0]["databaseRole"]
    else:
        assert page[0]["application"] == "sqlite"
    eventually(lambda: "3 changes are" in verify(stack).stdout)


def test_the_command_shows_the_newest_first_and_says_when_there_are_more(stack):
    _, key = stack.create(user="alice")
    stack.cli("key", "update", key["keyId"], "--name", 'a, "b"', "--reason", "renamed, at last")
    shown = stack.cli("changes", "--user", "alice", "--limit", "1")
    assert "update" in shown.stdout and "create" not in shown.stdout and 'name "" -> "a, \\"b\\""' in shown.stdout
    assert "older" in shown.stderr and "--after" in shown.stderr
    rows = list(csv.DictReader(io.StringIO(stack.cli("changes", "--key", key["keyId"], "-o", "csv").stdout)))
    assert [row["action"] for row in rows] == ["update", "create"]
    assert rows[0]["reason"] == "renamed, at last" and rows[0]["subject"] == key["keyId"]
    assert rows[0]["remoteAddress"] == "127.0.0.1"
    whole = json.loads(stack.cli("changes", "--since", "1h", "--actor", rows[0]["actor"], "-o", "json").stdout)
    assert actions(whole)[0] == "update"
    assert actions(json.loads(stack.cli("changes", "--oldest-first", "-o", "json").stdout))[-1] == "update"
    assert not json.loads(stack.cli("changes", "--until", "1h", "-o", "json").stdout)["changes"]
    assert stack.cli("changes", "--since", "soon", check=False).returncode == 2


def test_verify_names_the_first_row_that_somebody_changed(stack):
    keys = [stack.create(user=user)[1] for user in ("alice", "bob")]
    stack.cli("key", "disable", keys[0]["keyId"], "--yes", "--reason", "abuse")
    whole = verify(stack).stdout
    assert "4 changes are as they were written" in whole and "hash" in whole
    stack.sql("UPDATE audit SET reason = 'nothing' WHERE reason = 'abuse'")
    broken = verify(stack, check=False)
    assert broken.returncode == 1
    assert "broken at " in broken.stdout and changes(stack, "?order=desc")["changes"][0]["position"] in broken.stdout
    stack.sql("UPDATE audit SET reason = 'abuse' WHERE reason = 'nothing'")
    assert "4 changes are" in verify(stack).stdout


def test_why_a_request_was_refused_is_told_by_its_id(stack, tmp_path):
    access_key, key = stack.admitted_key(user="alice", requests_per_minute=1)
    holder = stack.holder(access_key)
    assert holder("GET", "/v1/tokens").status == 200
    refused = holder("GET", "/v1/tokens")
    request_id = refused.headers["Latchkey-Request-Id"]
    assert refused.status == 429 and refused.json()["instance"] == f"/v1/requests/{request_id}"
    told = eventually(lambda: (lambda r: r.status == 200 and r.json())(stack.admin()("GET", f"/v1/requests/{request_id}")))
    assert told["reason"] == "rate-limited" and told["keyId"] == key["keyId"] and told["userId"] == "alice"
    assert told["limits"] == ["per-minute"] and told["status"] == 429
    viewer = stack.keys.client(stack.admin_token("--role", "viewer"))
    assert viewer("GET", f"/v1/requests/{request_id}").json() == told
    for unknown in ("0" * 32, "x"):
        assert viewer("GET", f"/v1/requests/{unknown}").status == 404
    online = stack.cli("explain", request_id).stdout
    logs = [replica.data_dir / "logs" / "requests.jsonl" for replica in stack.replicas]
    log = eventually(lambda: next((path for path in logs if path.exists() and request_id in path.read_text()), None))
    offline = stack.cli("explain", request_id, "--log", log).stdout
    for words in (online, offline):
        assert request_id in words and "429 rate-limited" in words and "per-minute" in words
        assert key["keyId"] in words and refused.headers["Latchkey-Position"] in words
    assert "After " in offline and "/v1/tokens" in offline
    assert stack.cli("explain", "0" * 32, "--log", log, check=False).returncode == 1
    assert stack.cli("explain", "me", check=False).returncode == 2
    assert all(access_key.split(".")[2] not in path.read_text() for path in logs)


def test_a_backtest_of_the_limit_in_force_refuses_what_the_log_says(stack):
    access_key, key = stack.admitted_key(user="alice", requests_per_minute=5)
    replica = stack.replicas[0]
    client = replica.client(access_key)
    statuses = [client("GET", "/v1/tokens").status for _ in range(20)]
    log = replica.data_dir / "logs" / "requests.jsonl"
    eventually(lambda: log.exists() and sum(key["keyId"] in line for line in log.read_text().splitlines()) >= 20)
    tried = lambda limit: json.loads(stack.cli(  # noqa: E731
        "backtest", "--key", key["keyId"], "--limit", limit, "--log", log, "-o", "json").stdout)
    day, = tried("5/1m")["days"][-1:]
    assert day["refusedInLog"] == statuses.count(429) > 0
    if not stack.pairing.shared_limit:
        assert day["refused"] == day["refusedInLog"], day
    assert tried("1000/1m,1000/1d")["days"][-1]["refused"] == 0
    assert tried("1/1m")["days"][-1]["refused"] == day["requests"] - 1
    assert len(tried("1/1m")["firstRefused"]) == 10
    assert stack.cli("backtest", "--key", key["keyId"], "--limit", "5", "--log", log, check=False).returncode == 2

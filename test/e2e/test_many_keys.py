"""One command for many keys: by their labels, or all of a user."""

import json
import threading
import time

import pytest

from latchkey import LONG, eventually
from report import measured

COUNT = 100_000 if LONG else 5_000


def many(stack, verb, body, query=""):
    return stack.admin()("POST", f"/v1/keys:{verb}{query}", body)


def refusals(stack, access_key):
    replies = [replica.client(access_key)("GET", "/v1/tokens") for replica in stack.replicas]
    return {None if reply.status == 200 else reply.problem for reply in replies}


def test_a_selector_disables_at_every_replica_once_it_is_confirmed(stack):
    mine = [stack.admitted_key(user=f"u{i}", labels={"team": "x", "env": "prod" if i else "dev"})[0] for i in range(3)]
    other, _ = stack.admitted_key(labels={"team": "y"})
    done = many(stack, "disable", {"selector": "team=x,env=prod"}, "?wait=enforced")
    assert done.status == 200 and done.json()["enforcement"]["state"] == "confirmed", done
    assert (done.json()["matched"], done.json()["changed"]) == (2, 2)
    assert [refusals(stack, key) for key in mine] == [{None}, {"key-disabled"}, {"key-disabled"}]
    assert refusals(stack, other) == {None}
    again = many(stack, "disable", {"selector": "team=x"}, "?wait=enforced").json()
    assert (again["matched"], again["changed"]) == (3, 1)
    assert many(stack, "enable", {"userId": "u1"}, "?wait=enforced").json()["changed"] == 1
    assert [refusals(stack, key) for key in mine] == [{"key-disabled"}, {None}, {"key-disabled"}]


def test_a_deletion_wants_the_confirmation_of_a_dry_run(stack):
    access_key, _ = stack.admitted_key(user="mallory")
    preview = many(stack, "delete", {"userId": "mallory"}, "?dryRun=true").json()
    assert preview["matched"] == 1 and preview["sample"][0]["userId"] == "mallory"
    assert many(stack, "delete", {"userId": "mallory"}).status == 400
    stack.create(user="mallory")
    outdated = many(stack, "delete", {"userId": "mallory", "confirm": preview["confirm"]})
    assert (outdated.status, outdated.problem) == (409, "confirmation-outdated")
    assert refusals(stack, access_key) == {None}
    preview = many(stack, "delete", {"userId": "mallory"}, "?dryRun=true").json()
    done = many(stack, "delete", {"userId": "mallory", "confirm": preview["confirm"]}, "?wait=enforced").json()
    assert (done["matched"], done["changed"]) == (2, 2)
    assert refusals(stack, access_key) == {"key-deleted"}


def test_many_keys_from_the_command_line(stack):
    for i in range(3):
        stack.create(user=f"u{i}", labels={"team": "x"})
    shown = stack.cli("key", "disable", "--selector", "team=x", "--dry-run", "--quiet")
    assert shown.stdout.strip() == "3"
    assert stack.cli("key", "disable", "--selector", "team=x", check=False).returncode == 2, "nobody was asked"
    done = json.loads(stack.cli("key", "disable", "--selector", "team=x", "--yes", "--wait", "-o", "json").stdout)
    assert (done["matched"], done["changed"], done["enforcement"]["state"]) == (3, 3, "confirmed")
    assert stack.cli("key", "delete", "--user", "u1", "--yes", "--quiet").stdout.strip() == "1"
    assert stack.cli("key", "enable", "--selector", "team=x").stdout.startswith("2 of 2 keys changed")
    for wrong in (["disable"], ["disable", "0" * 36, "--user", "a"], ["enable", "--selector", "a", "--user", "b"],
                  ["delete", "0" * 36, "--dry-run"]):
        assert stack.cli("key", *wrong, "--yes", check=False).returncode == 2, wrong


def test_a_short_id_is_enough(stack):
    _, key = stack.create()
    whole = key["keyId"]
    short = whole[:23]
    assert stack.cli("key", "show", short, "--quiet").stdout.strip() == whole
    assert stack.cli("key", "disable", short.replace("-", "").upper(), "--yes", "--quiet").stdout.strip() == whole
    nobody = stack.cli("key", "show", "ffffffff", check=False)
    assert nobody.returncode == 1 and "no key" in nobody.stderr
    others = {stack.create()[1]["keyId"] for _ in range(2)}
    several = stack.cli("key", "delete", whole[:8], "--yes", check=False)
    if all(other[:8] == whole[:8] for other in others):  # a minute or so
        assert several.returncode == 2 and all(other in several.stderr for other in others), several
    assert stack.cli("key", "show", whole[:7], check=False).returncode == 2


def test_a_grace_is_ended(stack):
    access_key, key = stack.admitted_key()
    stack.cli("key", "rotate", key["keyId"], "--grace", "10m", "--yes", "--wait")
    assert refusals(stack, access_key) == {None}
    stack.cli("key", "rotate", key["keyId"], "--end-grace", "--yes", "--wait")
    assert refusals(stack, access_key) == {"key-rotated"}


@pytest.mark.engines("sqlite", "postgres", reason="about the store's own speed")
def test_thousands_of_keys_while_other_commands_go_on(stack):
    """In between, another command waits for one commit of the run at most; after the confirmation nothing is admitted."""
    sample, _ = stack.admitted_key(user="crowd", labels={"team": "x"})
    fill(stack, COUNT - 1)
    eventually(lambda: all(r.metric("latchkey_view_keys") == COUNT for r in stack.replicas), seconds=300)
    outcome, waits = [], []

    def run():
        begun = time.monotonic()
        outcome.append((many(stack, "disable", {"selector": "team=x"}, "?wait=enforced&timeout=5m"), time.monotonic() - begun))
    admin = stack.admin()
    runner = threading.Thread(target=run)
    runner.start()
    while runner.is_alive():
        begun = time.monotonic()
        assert admin("POST", "/v1/keys", {"userId": "other", "requestsPerMinute": 1}).status == 201
        waits.append(time.monotonic() - begun)
    runner.join()
    done, seconds = outcome[0]
    assert done.status == 200 and (done.json()["matched"], done.json()["changed"]) == (COUNT, COUNT), done
    assert refusals(stack, sample) == {"key-disabled"}
    measured(f"disabling {COUNT} keys by selector, confirmed", seconds)
    measured("longest wait of another command beside it", max(waits))
    assert many(stack, "disable", {"selector": "team=x"}).json()["changed"] == 0


def fill(stack, count):
    """Rows like any other, by the store itself: the triggers record them."""
    columns = ("user_id, requests_per_minute, issued_at, created_at, updated_at, updated_by, labels, key_id")
    values = "'crowd', 1000, 1, 1, 1, 'ops', '{\"team\":\"x\"}'"
    if stack.pairing.store.__name__ == "SqliteFile":
        stack.sql(f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) INSERT INTO access_keys"
                  f" ({columns}) SELECT {values}, printf('01900000-0000-7000-8000-%012x', i) FROM n")
    else:
        stack.sql(f"INSERT INTO access_keys ({columns}) SELECT {values}, ('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid"
                  f" FROM generate_series(1, {count}) i")

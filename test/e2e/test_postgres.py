"""What only a database server can suffer: restarts, crashes and restored backups, under load."""

import contextlib
import random
import subprocess
import time

import pytest

from keyring import Keyring
from latchkey import LONG, Service, eventually
from report import measured
from test_crash import end_commanders, start_commanders

pytestmark = pytest.mark.engines("postgres", "redis", reason="about the server itself")


def changed(keys):
    with contextlib.suppress(AssertionError):  # 503, while connections are made anew
        return keys.change(seed=1)
    return None


def under_load(stack, what, accident, times):
    """Commands without pause while accidents happen; then everything acknowledged is in the store and in the view."""
    # 503: that the store is away, or that the outcome is not known: never an acknowledgement
    commanders = start_commanders(stack, refusals=(503,))
    keys = Keyring(stack)
    keys.make(1)
    for _ in range(times):
        accident()
        before = [c.acknowledged for c in commanders]
        start = time.monotonic()
        eventually(lambda: all(c.acknowledged > n or c.failure for c, n in zip(commanders, before, strict=True)))
        measured(f"recovery: commands after {what}", time.monotonic() - start)
        position = eventually(lambda: changed(keys))
        measured(f"recovery: commands and views after {what}", keys.reached_everywhere(position) - start)
    end_commanders(stack, commanders)


def test_restarts_under_load(stack, revoked):
    under_load(stack, "a restart of PostgreSQL", stack.store.server.restart, 10 if LONG else 2)


def test_crashes_under_load(stack, revoked):
    under_load(stack, "a crash of PostgreSQL", lambda: stack.store.server.restart(kill=True), 10 if LONG else 2)


def test_kill_9_of_the_first_service_under_load(stack):
    dice = random.Random(7)

    def accident():
        time.sleep(dice.random() * 0.2)
        stack.keys.kill()
        stack.keys.start()
    under_load(stack, "kill -9 of the first service", accident, 50 if LONG else 6)


def test_connections_cut_under_load(stack, revoked):
    under_load(stack, "all connections were cut", lambda: stack.store.server.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'latchkey'"), 50 if LONG else 10)


def test_two_management_services_and_an_operator_write_at_once(stack, tmp_path):
    """Transactions that overlap, of three who know nothing of each other: what one of them appends is never skipped."""
    second = Service("keys", tmp_path / "second" / "data", **stack.store.settings).start()
    keys = Keyring(stack)
    keys.make(100 if LONG else 20)
    commanders = start_commanders(stack, services=(stack.keys, second))
    for number, key_id in enumerate(keys.made):
        stack.sql(f"BEGIN; UPDATE access_keys SET requests_per_minute = {500 + number} WHERE key_id = '{key_id}';"
                  "SELECT pg_sleep(0.05); COMMIT")
    end_commanders(stack, commanders)
    keys.views_equal_store(keys.change(seed=1))
    second.end()


def test_two_management_services_each_with_its_own_signing_key(stack, tmp_path):
    second = Service("keys", tmp_path / "second" / "data", **stack.store.settings).start()
    token = stack.cli("admin-token", env={"LATCHKEY_DATA_DIR": str(second.data_dir)}).stdout.strip()
    admins = [stack.admin(), second.client(token)]

    def create(admin):
        reply = admin("POST", "/v1/keys", {"userId": "alice", "requestsPerMinute": 10})
        assert reply.status == 201, reply.body
        eventually(lambda: stack.holder(reply.json()["accessKey"])("GET", "/v1/plan").status == 200)
        return reply.json()["accessKey"]

    keys = [create(admin) for admin in admins]
    assert admins[0]("POST", "/v1/signing-keys/rotate", {}).status == 200
    keys += [create(admin) for admin in admins]
    assert all(stack.holder(key)("GET", "/v1/plan").status == 200 for key in keys)
    assert admins[1]("POST", "/v1/signing-keys/rotate", {"retirePrevious": True}).status == 200
    for key in keys:
        eventually(lambda k=key: stack.holder(k)("GET", "/v1/plan").status == 401)
    for admin in admins:
        create(admin)
    second.end()


def expect_nobody_uses_the_old_file(stack, access_key):
    """A service that is started with the settings of before."""
    keys = Service("keys", stack.data_dir).launch()
    assert keys.process.wait(timeout=300) == 1 and "this store moved to postgresql" in keys.tail()
    tokens = Service("tokens", stack.data_dir).start("listening")
    eventually(lambda: "this store moved to postgresql" in tokens.tail())
    assert tokens.client(access_key)("GET", "/v1/plan").status == 503
    tokens.end()


def test_a_store_moves_from_sqlite(tmp_path, idle_stack):
    """`latchkey store migrate`: the same access keys, the same trail, and what it refuses."""
    old = Service("keys", idle_stack.data_dir).start()
    admin = old.client(idle_stack.admin_token())
    made = [admin("POST", "/v1/keys", {"userId": "alice", "requestsPerMinute": 5 + i}).json() for i in range(20)]
    assert admin("DELETE", f"/v1/keys/{made[0]['key']['keyId']}").status == 204
    trail = admin("GET", "/v1/changes?limit=1000").json()["changes"]
    (tmp_path / "link.db").symlink_to(idle_stack.data_dir / "latchkey.db")
    arguments = ("store", "migrate", "--from", f"sqlite:{tmp_path / 'link.db'}", "--to",
                 idle_stack.store.settings["LATCHKEY_STORE"])
    assert idle_stack.cli(*arguments, check=False).returncode == 1, "its service still runs"
    assert old.stop() == 0
    for relay in idle_stack.relays:
        assert relay.stop() == 0
    done = idle_stack.cli(*arguments).stdout
    assert "20 access keys" in done and f"stay in {idle_stack.data_dir.resolve() / 'secrets'}:" in done
    again = idle_stack.cli(*arguments, check=False)
    assert again.returncode == 1 and "this store moved to postgresql" in again.stderr
    expect_nobody_uses_the_old_file(idle_stack, made[1]["accessKey"])
    (tmp_path / "copy.db").write_bytes((idle_stack.data_dir / "latchkey.db").read_bytes())
    arguments = ("store", "migrate", "--from", f"sqlite:{tmp_path / 'copy.db'}", "--to", arguments[-1])
    assert "this store moved to" in idle_stack.cli(*arguments, check=False).stderr, "a copy carries the mark"
    subprocess.run(["sqlite3", tmp_path / "copy.db", "DELETE FROM meta WHERE name = 'moved_to'"], check=True)
    again = idle_stack.cli(*arguments, check=False)
    assert again.returncode == 1 and "not empty" in again.stderr
    left = subprocess.run(["sqlite3", tmp_path / "copy.db", "SELECT name FROM meta"], check=True, capture_output=True, text=True)
    assert "epoch" in left.stdout.split() and "moved_to" not in left.stdout.split(), "nothing moved, so there is no mark"
    for relay in idle_stack.relays:
        relay.start()
    idle_stack.start()
    moved = idle_stack.admin()("GET", "/v1/changes?limit=1000").json()["changes"]
    assert [(c["action"], c["actor"], c["at"]) for c in moved] == [(c["action"], c["actor"], c["at"]) for c in trail]
    eventually(lambda: idle_stack.holder(made[1]["accessKey"])("GET", "/v1/plan").status == 200)
    for one in made[1:]:
        plan = idle_stack.holder(one["accessKey"])("GET", "/v1/plan")
        assert plan.status == 200 and plan.json()["requestsPerMinute"] == one["key"]["requestsPerMinute"]
    assert idle_stack.holder(made[0]["accessKey"])("GET", "/v1/plan").problem == "key-deleted"

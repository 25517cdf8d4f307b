"""What the second service does when its source is away, replaced, restored or wrong."""

import contextlib
import os
import shutil
import signal
import sqlite3
import time

import pytest

from latchkey import Service, eventually
from report import measured
from stores import PAIRING, copy_database

RESTORES = pytest.mark.parametrize("way", PAIRING.store.restores)


def plan_status(stack, access_key):
    return stack.holder(access_key)("GET", "/v1/plan").status


def test_enforces_while_the_first_service_is_down(stack):
    access_key, _ = stack.admitted_key(requests_per_minute=3)
    stack.keys.kill()
    client = stack.holder(access_key)
    assert [client("GET", "/v1/tokens").status for _ in range(4)] == [200, 200, 200, 429]


def test_starts_while_the_first_service_is_down(stack):
    access_key, _ = stack.admitted_key()
    assert stack.tokens.stop() == 0
    assert stack.keys.stop() == 0
    stack.tokens.start()
    assert plan_status(stack, access_key) == 200


def test_starts_after_the_first_service_was_killed(stack):
    access_key, _ = stack.admitted_key()
    stack.tokens.kill()
    stack.keys.kill()
    stack.tokens.start()
    assert plan_status(stack, access_key) == 200


def test_is_not_ready_before_there_is_a_database(idle_stack):
    stack = idle_stack
    stack.tokens.start(wait="listening")
    ready = stack.tokens.client()("GET", "/readyz")
    assert ready.status == 503
    assert stack.tokens.client()("GET", "/healthz").status == 200
    stack.keys.start()
    eventually(stack.tokens.ready)
    access_key, _ = stack.create()
    eventually(lambda: plan_status(stack, access_key) == 200)


def test_unready_means_unserved(idle_stack):
    stack = idle_stack
    stack.keys.start()
    access_key, _ = stack.create()
    assert stack.keys.stop() == 0
    stack.store.hide()
    stack.tokens.start(wait="listening")
    reply = stack.holder(access_key)("GET", "/v1/tokens")
    assert reply.status == 503 and reply.problem == "stale-view"
    assert int(reply.headers["Retry-After"]) >= 1
    stack.store.show()
    eventually(lambda: plan_status(stack, access_key) == 200)


@RESTORES
def test_a_restored_backup_is_noticed(stack, revoked, way):
    """Keys made after the backup are unknown again, and nothing of the newer life is served. A dump restored into another
    cluster is served once a management service was started on it: before that nothing proves that it is the latest."""
    early, _ = stack.admitted_key()
    restore = stack.store.backup(way)
    late, _ = stack.admitted_key()
    assert stack.keys.stop() == 0
    restore()
    restored = time.monotonic()
    if way == "cluster":
        eventually(lambda: plan_status(stack, early) == 503)
        stack.keys.start()
    eventually(lambda: plan_status(stack, late) == 401)
    eventually(lambda: plan_status(stack, early) == 200)
    measured(f"recovery: views of an older backup ({way})", time.monotonic() - restored)
    if way != "cluster":
        stack.keys.start()
    fresh, _ = stack.admitted_key()
    assert plan_status(stack, fresh) == 200 and plan_status(stack, late) == 401


@RESTORES
def test_a_restored_backup_that_grew_past_us_is_noticed(stack, way):
    """The numbers alone look fine here: the log forked. The reader was stopped meanwhile, so it sees only the end."""
    early, key = stack.admitted_key()
    restore = stack.store.backup(way)
    late, _ = stack.admitted_key()
    for reader in stack.readers:
        reader.signal(signal.SIGSTOP)
    assert stack.keys.stop() == 0
    restore()
    stack.keys.start()
    for i in range(10):
        assert stack.admin()("PATCH", f"/v1/keys/{key['keyId']}", {"requestsPerMinute": 500 + i}).status == 200
    for reader in stack.readers:
        reader.signal(signal.SIGCONT)
    eventually(lambda: plan_status(stack, late) == 401)
    eventually(lambda: stack.holder(early)("GET", "/v1/plan").json().get("requestsPerMinute") == 509)


@RESTORES
def test_a_position_of_lost_history_is_not_reached_by_another_of_its_number(stack, way):
    access_key, key = stack.admitted_key()
    path = f"/v1/keys/{key['keyId']}"
    restore = stack.store.backup(way)
    lost = stack.admin()("PATCH", path, {"requestsPerMinute": 400}).headers["Latchkey-Position"]
    if way in ("timeline", "cluster"):  # which the epoch itself tells; files put back are known to a service that runs
        assert stack.keys.stop() == 0
        restore()
        stack.keys.start()
    else:
        restore()
    for i in range(5):
        reply = eventually(lambda n=500 + i: good(stack.admin()("PATCH", path, {"requestsPerMinute": n})))
    holder = stack.holder(access_key)
    eventually(lambda: holder("GET", "/v1/plan", headers={"Latchkey-At-Least": reply.headers["Latchkey-Position"]}).status == 200)
    for _ in stack.replicas:
        assert holder("GET", "/v1/plan", headers={"Latchkey-At-Least": lost}).status == 503


def good(reply):
    return reply if reply.status == 200 else None


def disable(stack, key):
    return stack.admin()("PATCH", f"/v1/keys/{key['keyId']}", {"disabled": True}).status


@RESTORES
def test_a_replacement_under_the_running_services_is_never_acknowledged_away(stack, revoked, way):
    """What is acknowledged is enforced and kept; while the store does not know its file, it refuses."""
    access_key, key = stack.admitted_key()
    stack.store.backup(way)()
    status = disable(stack, key)
    assert status in (200, 503)
    if status == 503:
        eventually(lambda: disable(stack, key) == 200)
    eventually(lambda: plan_status(stack, access_key) == 401)
    assert stack.keys.stop() == 0
    stack.keys.start()
    assert stack.admin()("GET", f"/v1/keys/{key['keyId']}").json()["status"] == "disabled"


@pytest.mark.engines("sqlite", reason="the database is a file that can be removed")
def test_a_removed_database_is_not_made_anew_by_the_running_service(stack, tmp_path):
    access_key, key = stack.admitted_key()
    copy_database(stack.database, tmp_path / "backup.db")
    for file in stack.data_dir.glob("latchkey.db*"):
        file.unlink()
    assert disable(stack, key) == 503
    eventually(lambda: not stack.keys.ready())  # a thread of its own looks at the store now and then
    assert not stack.database.exists()
    os.replace(tmp_path / "backup.db", stack.database)
    eventually(lambda: disable(stack, key) == 200)
    eventually(lambda: plan_status(stack, access_key) == 401)


@pytest.mark.engines("sqlite", reason="WAL is a mode of SQLite files")
def test_a_wal_index_made_while_the_old_database_was_removed_is_not_believed(stack, tmp_path):
    """The second service makes a new -shm for the old database in the moment before that goes, and holds on to it."""
    access_key, key = stack.admitted_key()
    copy_database(stack.database, tmp_path / "backup.db")
    shm = stack.data_dir / "latchkey.db-shm"
    shm.unlink()
    eventually(shm.exists)
    eventually(lambda: plan_status(stack, access_key) == 200)  # by the new -shm
    stack.tokens.signal(signal.SIGSTOP)
    try:
        stack.database.unlink()
        (stack.data_dir / "latchkey.db-wal").unlink()
        os.replace(tmp_path / "backup.db", stack.database)
        eventually(lambda: disable(stack, key) == 200)
    finally:
        stack.tokens.signal(signal.SIGCONT)
    eventually(lambda: plan_status(stack, access_key) == 401)
    with contextlib.closing(sqlite3.connect(stack.database)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


@pytest.mark.engines("sqlite", reason="the database is a file that can be truncated")
def test_a_truncated_database_is_refused(stack):
    _, key = stack.admitted_key()
    os.truncate(stack.database, 0)
    assert disable(stack, key) == 503
    assert stack.admin()("POST", "/v1/keys", {"userId": "eve", "requestsPerMinute": 1}).status == 503


@pytest.mark.engines("sqlite", reason="the database is a file that can be replaced")
def test_another_database_in_its_place_is_noticed(stack, tmp_path):
    ours, _ = stack.admitted_key()
    other = Service("keys", tmp_path / "other" / "data")
    other.start()
    assert other.stop() == 0
    assert stack.keys.stop() == 0
    copy_database(other.data_dir / "latchkey.db", tmp_path / "theirs.db")
    for suffix in ("-wal", "-shm"):
        (stack.data_dir / f"latchkey.db{suffix}").unlink(missing_ok=True)
    os.replace(tmp_path / "theirs.db", stack.database)
    eventually(lambda: plan_status(stack, ours) == 401)


def test_a_gap_is_noticed(stack):
    """Somebody removes the triggers' protection and a change: the reader must not go on as if nothing had happened."""
    access_key, _ = stack.admitted_key()

    def reloads():
        return stack.tokens.metrics("latchkey_view_reloads_total")

    before = reloads()
    stack.sql(stack.store.gap)
    stack.create(user="after-the-gap")
    eventually(lambda: all(now > then for now, then in zip(reloads(), before, strict=True)))
    eventually(lambda: plan_status(stack, access_key) == 200)


def test_a_stale_view_refuses(make_stack):
    """Past max staleness the replica fences itself."""
    stack = make_stack(LATCHKEY_MAX_STALENESS="1s").start()
    access_key, _ = stack.admitted_key()
    assert stack.keys.stop() == 0
    stack.store.hide()
    eventually(lambda: plan_status(stack, access_key) == 503)
    assert stack.holder(access_key)("GET", "/v1/tokens").problem == "stale-view"
    stack.store.show()
    eventually(lambda: plan_status(stack, access_key) == 200)
    time.sleep(1.5)
    eventually(lambda: plan_status(stack, access_key) == 200)  # an idle database is not a stale one


def test_at_least_waits_for_the_position(stack):
    access_key, key = stack.admitted_key()
    reply = stack.admin()("PATCH", f"/v1/keys/{key['keyId']}", {"requestsPerMinute": 321})
    position = reply.headers["Latchkey-Position"]
    plan = eventually(lambda: good(stack.holder(access_key)("GET", "/v1/plan", headers={"Latchkey-At-Least": position})))
    assert plan.json()["requestsPerMinute"] == 321
    epoch, seq = position.split(".")
    future = stack.holder(access_key)("GET", "/v1/plan", headers={"Latchkey-At-Least": f"{epoch}.{int(seq) + 1000}"})
    assert future.status == 503
    foreign = stack.holder(access_key)("GET", "/v1/plan", headers={"Latchkey-At-Least": f"{'0' * 16}.1"})
    assert foreign.status == 503
    assert stack.holder(access_key)("GET", "/v1/plan", headers={"Latchkey-At-Least": "yesterday"}).status == 400


@pytest.mark.engines("sqlite", reason="the store lies in the data directory")
def test_copied_data_directory_serves_elsewhere(stack, tmp_path):
    access_key, _ = stack.admitted_key()
    assert stack.keys.stop() == 0 and stack.tokens.stop() == 0
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(stack.data_dir, elsewhere)
    tokens = Service("tokens", elsewhere).start()
    assert tokens.client(access_key)("GET", "/v1/plan").status == 200
    tokens.end()

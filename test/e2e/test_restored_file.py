"""A backup of the embedded store is put back, in each way there is: what was seen of its epoch stays true, and nothing of
the life that was lost is served."""

import contextlib
import os
import shutil
import sqlite3
import subprocess

import pytest

from latchkey import eventually

pytestmark = pytest.mark.engines("sqlite", reason="the database is a file")


def shell(database, *commands):
    subprocess.run(["sqlite3", "-bail", "-cmd", ".timeout 10000", database, *commands], check=True, capture_output=True)


def cp(source, target):
    subprocess.run(["cp", source, target], check=True)


def logs(stack):
    return "".join(service.log.read_text() for service in stack.processes)


def good(reply):
    return reply if reply.status in (200, 201) else None


def change(stack, key, limit):
    """The position of an acknowledged change; the store may find its file replaced first."""
    path = f"/v1/keys/{key['keyId']}"
    return eventually(lambda: good(stack.admin()("PATCH", path, {"requestsPerMinute": limit}))).headers["Latchkey-Position"]


def stopped(stack, then):
    assert stack.keys.stop() == 0 and stack.tokens.stop() == 0
    then()
    stack.start()


WAYS = {
    "restored while running": lambda stack, copy: shell(stack.database, f".restore {copy}"),
    "stopped and restored": lambda stack, copy: stopped(stack, lambda: shell(stack.database, f".restore {copy}")),
    "stopped and copied": lambda stack, copy: stopped(stack, lambda: cp(copy, stack.database)),
    "stopped and moved in": lambda stack, copy: stopped(stack, lambda: shutil.move(copy, stack.database)),
    "copied while running": lambda stack, copy: cp(copy, stack.database),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_position_never_names_another_change(stack, tmp_path, way):
    access_key, key = stack.admitted_key()
    shell(stack.database, f".backup {tmp_path / 'copy.db'}")
    assert stack.admin()("GET", "/v1/changes").json()["changes"], "a reader has seen it all"
    lost = stack.admin()("PATCH", f"/v1/keys/{key['keyId']}", {"disabled": True}).headers["Latchkey-Position"]
    eventually(lambda: stack.holder(access_key)("GET", "/v1/plan").status == 401)
    WAYS[way](stack, tmp_path / "copy.db")
    after = change(stack, key, 77)
    assert after.split(".")[1] == lost.split(".")[1] and after.split(".")[0] != lost.split(".")[0]
    holder = stack.holder(access_key)
    eventually(lambda: holder("GET", "/v1/plan", headers={"Latchkey-At-Least": after}).status == 200)
    assert holder("GET", "/v1/plan", headers={"Latchkey-At-Least": lost}).status == 503
    assert stack.admin()("GET", f"/v1/changes?after={lost}").status == 410
    eventually(lambda: "A new epoch begins" in logs(stack))


def test_an_orderly_restart_and_a_kill_keep_the_epoch(stack):
    """Else each of them would make every replica load anew, and every stream begin anew."""
    _, key = stack.admitted_key()
    first = change(stack, key, 5)
    assert stack.keys.stop() == 0
    stack.keys.start()
    second = change(stack, key, 6)
    stack.keys.kill()
    stack.keys.start()
    third = change(stack, key, 7)
    assert len({position.split(".")[0] for position in (first, second, third)}) == 1
    assert stack.admin()("GET", f"/v1/changes?after={first}").status == 200


def test_a_change_by_hand_that_only_the_replica_saw_is_not_forgotten(stack, tmp_path):
    access_key, key = stack.admitted_key()
    assert stack.keys.stop() == 0
    shell(stack.database, f".backup {tmp_path / 'copy.db'}")
    shell(stack.database, "UPDATE access_keys SET disabled = 1")
    eventually(lambda: stack.holder(access_key)("GET", "/v1/plan").status == 401)
    assert stack.tokens.stop() == 0
    shell(stack.database, f".restore {tmp_path / 'copy.db'}")
    stack.start()
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        epoch = copy.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()[0]
    assert not change(stack, key, 5).startswith(epoch)


def many_keys(stack, count):
    admin = stack.admin()
    return [admin("POST", "/v1/keys", {"userId": "alice", "requestsPerMinute": 1000}).json() for _ in range(count)]


def expect_only_the_backups(stack, early, late):
    """The early keys work and can be disabled, the late ones are known to nobody."""
    eventually(stack.keys.ready)
    for one in late:
        eventually(lambda key=one: stack.admin()("GET", f"/v1/keys/{key['key']['keyId']}").status == 404)
        eventually(lambda key=one: stack.holder(key["accessKey"])("GET", "/v1/plan").status == 401)
    for one in early:
        eventually(lambda key=one: stack.holder(key["accessKey"])("GET", "/v1/plan").status == 200)
        eventually(lambda key=one: good(stack.admin()("PATCH", f"/v1/keys/{key['key']['keyId']}", {"disabled": True})))
        eventually(lambda key=one: stack.holder(key["accessKey"])("GET", "/v1/plan").status == 401)
    with contextlib.closing(sqlite3.connect(stack.database)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


@pytest.mark.parametrize("how", ["cp", "mv"])
@pytest.mark.parametrize("first", ["keys", "tokens"])
def test_a_backup_put_back_after_a_crash(stack, tmp_path, how, first):
    """The -wal and -shm of the life that crashed remain: SQLite would lay their pages over the backup."""
    early = many_keys(stack, 30)
    shell(stack.database, f".backup {tmp_path / 'copy.db'}")
    late = many_keys(stack, 150)
    shell(stack.database, "PRAGMA wal_checkpoint(FULL)")
    late += many_keys(stack, 10)
    stack.keys.kill()
    stack.tokens.services[0].kill()
    assert os.path.getsize(f"{stack.database}-wal") > 0
    {"cp": cp, "mv": shutil.move}[how](tmp_path / "copy.db", stack.database)
    services = [stack.keys, stack.tokens.services[0]]
    for service in services if first == "keys" else services[::-1]:
        service.start()
    expect_only_the_backups(stack, early[::5], late[::15])
    eventually(lambda: "latchkey.db-wal is not of the database file beside it" in logs(stack))
    assert os.path.getsize(f"{stack.database}-wal.replaced") > 0


def test_a_backup_copied_over_the_running_database(stack, tmp_path):
    """All pages of a small database are in its -wal: SQLite would not notice, and go on as if nothing had happened."""
    early = many_keys(stack, 2)
    shell(stack.database, f".backup {tmp_path / 'copy.db'}")
    late = many_keys(stack, 2)
    cp(tmp_path / "copy.db", stack.database)
    expect_only_the_backups(stack, early, late)
    eventually(lambda: "written by another program" in logs(stack))


def test_a_touched_database_is_still_the_same(stack):
    """A time stamp alone is no copy: what is in the -wal only is not set aside."""
    _, key = stack.admitted_key()
    before = change(stack, key, 5)
    os.utime(stack.database)
    assert change(stack, key, 6).split(".")[0] == before.split(".")[0]
    shell(stack.database, "PRAGMA wal_checkpoint(FULL)")
    assert change(stack, key, 7).split(".")[0] == before.split(".")[0]
    assert not os.path.exists(f"{stack.database}-wal.replaced")

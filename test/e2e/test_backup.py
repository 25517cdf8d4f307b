"""`latchkey store backup` and `latchkey store restore`, as docs/operations.md tells it."""

import contextlib
import os
import shutil
import sqlite3

import pytest

from latchkey import Relay, eventually

embedded = pytest.mark.engines("sqlite", reason="PostgreSQL has tools of its own")


def refused(stack, *arguments):
    done = stack.cli("store", *arguments, check=False)
    assert done.returncode == 1 and not done.stdout, done
    return done.stderr


@embedded
def test_a_backup_made_while_both_run_and_put_back(stack, tmp_path):
    early, key = stack.admitted_key()
    file = tmp_path / "monday.db"
    made = stack.cli("store", "backup", file)
    assert "1 access keys" in made.stdout and str(stack.data_dir / "secrets" / "signing") in made.stdout
    assert os.stat(file).st_mode & 0o777 == 0o600 and list(tmp_path.glob("monday*")) == [file]
    late, other = stack.admitted_key()
    disabled = stack.admin()("PATCH", f"/v1/keys/{key['keyId']}", {"disabled": True}).headers["Latchkey-Position"]
    copied = file.read_bytes()

    assert "another `latchkey keys` runs on" in refused(stack, "restore", file)
    assert stack.keys.stop() == 0
    assert "another `latchkey tokens` runs on" in refused(stack, "restore", file)
    assert stack.tokens.stop() == 0
    relay = Relay("relay", stack.data_dir, LATCHKEY_STREAM="redis://127.0.0.1:1").start()
    assert "another `latchkey relay` runs on" in refused(stack, "restore", file)
    relay.end()

    done = stack.cli("store", "restore", file)
    assert "restored 1 access keys" in done.stdout and "in a new epoch" in done.stdout
    assert file.read_bytes() == copied
    kept = next(path for path in stack.data_dir.glob("latchkey.db.before-restore-*Z"))
    assert str(kept) in done.stdout
    with contextlib.closing(sqlite3.connect(kept)) as old:
        assert old.execute("SELECT count(*) FROM access_keys").fetchone()[0] == 2

    for _ in range(3):  # within a second: what the first one kept is not written over
        stack.cli("store", "restore", file)
    with contextlib.closing(sqlite3.connect(kept)) as old:
        assert old.execute("SELECT count(*) FROM access_keys").fetchone()[0] == 2
    assert len([path for path in stack.data_dir.glob("latchkey.db.before-restore-*") if path.name[-4:] not in ("-wal", "-shm")]) == 4

    stack.start()
    assert stack.holder(early)("GET", "/v1/plan").status == 200
    eventually(lambda: stack.holder(late)("GET", "/v1/plan").status == 401)
    assert stack.admin()("GET", f"/v1/keys/{other['keyId']}").status == 404
    assert stack.admin()("GET", f"/v1/changes?after={disabled}").status == 410
    again = stack.admin()("PATCH", f"/v1/keys/{key['keyId']}", {"disabled": True}).headers["Latchkey-Position"]
    assert again.split(".")[0] != disabled.split(".")[0]
    eventually(lambda: stack.holder(early)("GET", "/v1/plan").status == 401)


@embedded
def test_a_restore_into_a_new_directory(stack, tmp_path):
    """The machine is lost: the backup and the private signing keys are all there is."""
    access_key, _ = stack.admitted_key()
    stack.cli("store", "backup", tmp_path / "copy.db")
    shutil.copytree(stack.data_dir / "secrets", tmp_path / "secrets")
    assert stack.keys.stop() == 0 and stack.tokens.stop() == 0
    shutil.rmtree(stack.data_dir)
    stack.cli("store", "restore", tmp_path / "copy.db")
    shutil.rmtree(stack.data_dir / "secrets")
    shutil.copytree(tmp_path / "secrets", stack.data_dir / "secrets")
    stack.start()
    eventually(lambda: stack.holder(access_key)("GET", "/v1/plan").status == 200)
    assert stack.create()[1]["status"] == "active"


@embedded
def test_a_restore_after_a_crash(stack, tmp_path):
    """What the life before left beside the database goes aside with it."""
    early, _ = stack.admitted_key()
    stack.cli("store", "backup", tmp_path / "copy.db")
    late, _ = stack.admitted_key()
    stack.keys.kill()
    stack.tokens.services[0].kill()
    assert os.path.getsize(f"{stack.database}-wal") > 0
    stack.cli("store", "restore", tmp_path / "copy.db")
    assert list(stack.data_dir.glob("latchkey.db.before-restore-*-wal"))
    stack.start()
    eventually(lambda: stack.holder(early)("GET", "/v1/plan").status == 200)
    assert stack.holder(late)("GET", "/v1/plan").status == 401


@embedded
def test_what_is_no_backup_changes_nothing(stack, tmp_path):
    access_key, _ = stack.admitted_key()
    good = tmp_path / "good.db"
    stack.cli("store", "backup", good)
    assert "is there already" in refused(stack, "backup", good)
    assert "cannot" in refused(stack, "backup", tmp_path / "none" / "copy.db")
    assert stack.keys.stop() == 0 and stack.tokens.stop() == 0
    (tmp_path / "empty.db").touch()
    (tmp_path / "junk.db").write_text("not a database, really, at all\n" * 100)
    pages = bytearray(good.read_bytes())
    (tmp_path / "short.db").write_bytes(pages[:len(pages) // 2])
    pages[4096 * 3:4096 * 12] = os.urandom(4096 * 9)
    (tmp_path / "damaged.db").write_bytes(pages)
    shutil.copy(good, tmp_path / "live.db")
    (tmp_path / "live.db-wal").write_bytes(b"x" * 4152)
    shutil.copy(good, tmp_path / "newer.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "newer.db")) as newer:
        newer.execute("PRAGMA user_version = 99")
    before = stack.database.read_bytes()
    names = sorted(os.listdir(stack.data_dir))
    for name, why in (("none", "cannot read"), ("empty", "is empty"), ("junk", "is not an SQLite database"),
                      ("short", "damaged"), ("damaged", "damaged"), ("live", "is a database in use"),
                      ("newer", "a newer release")):
        said = refused(stack, "restore", tmp_path / f"{name}.db")
        assert why in said and f"{name}.db" in said, (name, said)
        assert stack.database.read_bytes() == before and sorted(os.listdir(stack.data_dir)) == names, name
    stack.start()
    assert stack.holder(access_key)("GET", "/v1/plan").status == 200


def test_a_server_has_tools_of_its_own(idle_stack, tmp_path):
    settings = {"LATCHKEY_STORE": "postgresql://latchkey:s3cret@db.internal/latchkey"}
    for command, tool in (("backup", "pg_dump --format=custom"), ("restore", "pg_restore --exit-on-error")):
        done = idle_stack.cli("store", command, tmp_path / "file", check=False, env=settings)
        assert done.returncode == 1 and tool in done.stderr and "s3cret" not in done.stderr

"""`latchkey store migrate`: what it refuses before it meets the target, which is none here (test_postgres.py has one)."""

import sqlite3
import subprocess

import pytest

from latchkey import BINARY, Relay, Service, clean_environment, eventually

NOWHERE = "postgresql://127.0.0.1:1/none?connect_timeout=1"


def refusal(*arguments, status=1, cwd=None, **environment):
    done = subprocess.run([BINARY, "store", "migrate", *arguments], capture_output=True, text=True, timeout=300, check=False,
                          cwd=cwd, env={**clean_environment(), **environment})
    assert done.returncode == status and not done.stdout, done
    return done.stderr


@pytest.fixture
def service(tmp_path):
    service = Service("keys", tmp_path / "data", LATCHKEY_STORE="sqlite").start()
    yield service
    service.end()


def test_a_running_service_is_noticed_by_each_name_of_its_file(tmp_path, service):
    data = service.data_dir.resolve()
    database = data / "latchkey.db"
    (tmp_path / "folder").symlink_to(data)
    (tmp_path / "link.db").symlink_to(database)
    for name in (database, data, tmp_path / "folder", tmp_path / "folder" / "latchkey.db", tmp_path / "link.db"):
        assert f"another `latchkey keys` runs on {data}\n" in refusal("--from", f"sqlite:{name}", "--to", NOWHERE), name
    assert f"runs on {data}\n" in refusal("--from", "sqlite:latchkey.db", "--to", NOWHERE, cwd=data)
    assert f"runs on {data}\n" in refusal("--from", "sqlite:.", "--to", NOWHERE, cwd=data)


def test_a_running_service_is_noticed_whose_file_is_elsewhere(tmp_path, service):
    service.stop()
    elsewhere = tmp_path / "disk.db"
    (service.data_dir / "latchkey.db").rename(elsewhere)
    (service.data_dir / "latchkey.db").symlink_to(elsewhere)
    service.start()
    assert "another `latchkey keys` runs on" in refusal("--from", f"sqlite:{service.data_dir}", "--to", NOWHERE)


def test_what_is_no_store_is_refused_and_stays_as_it_is(tmp_path):
    with sqlite3.connect(tmp_path / "bare.db") as bare:
        bare.execute("PRAGMA user_version = 1")
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE t (x)")
    (tmp_path / "empty.db").touch()
    (tmp_path / "junk.db").write_text("not a database, really, at all\n" * 100)
    (tmp_path / "short.db").write_bytes((tmp_path / "other.db").read_bytes()[:50])
    for name, why in (("empty", "is empty"), ("junk", "is not an SQLite database"), ("short", "is not an SQLite database"),
                      ("bare", "is not a database of Latchkey's"), ("other", "is not a database of Latchkey's")):
        file = tmp_path / f"{name}.db"
        before = file.read_bytes()
        assert f"{file} {why}\n" in refusal("--from", f"sqlite:{file}", "--to", NOWHERE)
        assert file.read_bytes() == before, name


def test_a_source_has_a_name():
    for source in ("", "sqlite", "sqlite:", "none.db"):
        assert "--from must be sqlite:FILE" in refusal("--from", source, "--to", NOWHERE, status=2), source


def test_what_is_wrong_with_the_target_names_where_it_is_from():
    said = "the postgresql:// URL cannot be read: "
    assert f"--to: {said}" in refusal("--from", "sqlite:none", "--to", "mysql://host/db", status=2)
    assert f"store (default): {said}" in refusal("--from", "sqlite:none", status=2)
    url = "postgresql://host/db?bogus=1"
    assert f"store (LATCHKEY_STORE): {said}" in refusal("--from", "sqlite:none", status=2, LATCHKEY_STORE=url)


def test_each_service_that_may_use_the_file_is_noticed(service):
    """A replica or a relay would go on with the old store, and admit what the new one has revoked."""
    data = service.data_dir.resolve()
    assert service.stop() == 0
    stream = {"LATCHKEY_STREAM": "redis://127.0.0.1:1"}
    first, second = Relay("relay-1", data, **stream).start(), Relay("relay-2", data, **stream).start()
    replica = Service("tokens", data).start()
    for other in (replica, first, second):
        assert f"another `latchkey {other.name}` runs on {data}\n" in refusal("--from", f"sqlite:{data}", "--to", NOWHERE)
        other.end()
    assert "runs on" not in refusal("--from", f"sqlite:{data}", "--to", NOWHERE)


@pytest.mark.engines("sqlite", reason="the embedded store is what moves")
def test_a_mark_that_comes_while_they_run_ends_their_service(stack):
    """Whoever moved the store by other means, or reached it through another directory."""
    access_key, key = stack.admitted_key()
    stack.sql("INSERT INTO meta VALUES ('moved_to', 'postgresql://elsewhere/latchkey')")
    eventually(lambda: stack.holder(access_key)("GET", "/v1/plan").status == 503)
    said = "this store moved to postgresql://elsewhere/latchkey"  # after the first refusals
    eventually(lambda: said in stack.tokens.services[0].log.read_text())
    reply = stack.admin()("PATCH", f"/v1/keys/{key['keyId']}", {"disabled": True})
    assert reply.status == 409 and "moved to postgresql://elsewhere/latchkey" in reply.json()["detail"]
    stack.sql("DELETE FROM meta WHERE name = 'moved_to'")
    eventually(lambda: stack.holder(access_key)("GET", "/v1/plan").status == 200)
    eventually(lambda: stack.admin()("PATCH", f"/v1/keys/{key['keyId']}", {"disabled": True}).status == 200)

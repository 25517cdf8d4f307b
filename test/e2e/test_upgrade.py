"""From the files and databases of release 0.1.0 (test/fixtures) to this one, and a store that is newer than who reads it."""

import contextlib
import gzip
import pathlib
import shutil
import sqlite3
import subprocess
import time

import pytest

from latchkey import BINARY, Service, clean_environment, eventually
from stores import ENGINES, PostgresDatabase, SqliteFile

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "schema-1"


def store_of_schema_1(engine, data_dir):
    if engine == "postgres":
        store = PostgresDatabase(data_dir)
        store.server.run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", shared(FIXTURES / "postgres.sql"), store.server.url(store.database))
        return store
    data_dir.mkdir(mode=0o700)
    for name in ("secrets", "secrets/signing"):
        (data_dir / name).mkdir(mode=0o700)
    for key in (FIXTURES / "signing").iterdir():
        (data_dir / "secrets/signing" / key.name).write_bytes(key.read_bytes())
        (data_dir / "secrets/signing" / key.name).chmod(0o600)
    store = SqliteFile(data_dir)
    with contextlib.closing(sqlite3.connect(store.path)) as file:
        file.executescript((FIXTURES / "sqlite.sql").read_text())
        file.execute("PRAGMA journal_mode=WAL")
    store.path.chmod(0o600)
    return store


def shared(path):
    """Where the server's user can read it."""
    copy = pathlib.Path("/tmp") / f"latchkey-{path.name}-{time.time_ns()}"
    shutil.copy(path, copy)
    copy.chmod(0o644)
    return copy


@pytest.mark.engines("sqlite", "postgres", reason="about the store's own files")
def test_the_documented_order(tmp_path):
    """A replica that comes first waits and says for what; the management service brings the store up; the replica goes on."""
    store = store_of_schema_1(ENGINES, tmp_path / "data")
    keys = Service("keys", tmp_path / "data", **store.settings)
    # The embedded replica shares the directory, others have their own.
    tokens = Service("tokens", tmp_path / ("data" if ENGINES == "sqlite" else "replica"), **store.settings)
    try:
        tokens.launch().started("listens")
        eventually(lambda: "start the management service of this release" in tokens.tail())
        assert not tokens.ready()
        keys.start()
        eventually(lambda: "brought from schema 1 to 6" in keys.tail())
        eventually(tokens.ready)
        assert tokens.metric("latchkey_view_keys") == 4
        store.sql("UPDATE access_keys SET name = 'after' WHERE user_id = 'bob'")
        # Eight, where there is no private half of the signing key a new one, and this.
        eventually(lambda: tokens.metric("latchkey_view_position") == (9 if ENGINES == "sqlite" else 10))
        bob = (FIXTURES / "bob.token").read_text().strip()
        if ENGINES == "sqlite":  # with the limits file of a first start, which counts nobody as used up
            assert tokens.client(bob)("GET", "/v1/plan").status == 200
    finally:
        tokens.end()
        keys.end()


@pytest.mark.engines("sqlite", reason="about the store's own files")
def test_the_files_of_a_replica_of_before(tmp_path):
    """A copy, so its permits count as used for a minute: they are lost memory, and no first start. Who was in
    its registry has ended, and the one that comes is there beside."""
    store = store_of_schema_1(ENGINES, tmp_path / "data")
    (tmp_path / "data/state").mkdir(mode=0o700)
    (tmp_path / "data/state/limits").write_bytes(gzip.decompress((FIXTURES / "limits.gz").read_bytes()))
    with contextlib.closing(sqlite3.connect(tmp_path / "data/replicas.db")) as file:
        file.executescript((FIXTURES / "replicas.sql").read_text())
        file.execute("PRAGMA journal_mode=WAL")
    keys = Service("keys", tmp_path / "data", **store.settings)
    tokens = Service("tokens", tmp_path / "data", **store.settings)
    try:
        keys.start()
        tokens.start()
        reply = tokens.client((FIXTURES / "bob.token").read_text().strip())("GET", "/v1/tokens")
        assert reply.status == 429 and 0 < int(reply.headers["Retry-After"]) <= 61, reply
        eventually(lambda: "is no memory of the past minute" in tokens.tail())
        token = subprocess.run([BINARY, "admin-token"], env={**clean_environment(), **keys.settings}, capture_output=True, text=True,
                               check=True).stdout.strip()
        listed = eventually(lambda: listed_replicas(keys, token))
        before = [r for r in listed if r["lastSeen"].startswith("2026-12-01T00:08:52")]
        (after,) = [r for r in listed if r not in before]
        assert [r["understands"] for r in before] in ([], [1]) and after["understands"] > 1 and not after["outdated"], listed
    finally:
        tokens.end()
        keys.end()


def listed_replicas(keys, token):
    """Once it is certain that nobody is missing, and the one of this release serves."""
    reply = keys.client(token)("GET", "/v1/replicas")
    listed = reply.json().get("replicas", [])
    return listed if any(r["state"] == "serving" and r["understands"] > 1 for r in listed) else None


NEWER = {SqliteFile: ("PRAGMA user_version = 99", "UPDATE meta SET value = '99 2' WHERE name = 'readers'"),
         PostgresDatabase: ("UPDATE meta SET schema_version = 99", "UPDATE meta SET readers = '99 2'")}


def test_whoever_runs_refuses_a_store_that_becomes_newer(make_stack):
    stack = make_stack(LATCHKEY_MAX_STALENESS="3s").start()
    newer, but_readable = NEWER[stack.pairing.store]
    stack.sql(newer)
    eventually(lambda: not any(replica.ready() for replica in stack.replicas))
    for reader in stack.readers:
        eventually(lambda: "has schema 99 and this release knows 6: upgrade this service" in reader.tail())
    reply = stack.admin()("POST", "/v1/keys", {"userId": "eve", "requestsPerMinute": 1})
    assert reply.status == 503 and "newer release" in reply.json()["detail"], reply
    stack.sql(but_readable)
    eventually(stack.tokens.ready)

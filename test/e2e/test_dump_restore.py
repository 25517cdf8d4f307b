"""The commands of docs/operations.md, "PostgreSQL: dump and restore", as they stand there."""

import os
import pathlib
import re
import subprocess

import pytest

from latchkey import Service, eventually

pytestmark = pytest.mark.engines("postgres", reason="about PostgreSQL's own tools")
PAGE = (pathlib.Path(__file__).resolve().parents[2] / "docs/operations.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE.split("## PostgreSQL: dump and restore")[1].split("\n## ")[0], re.S)


def run(server, commands, **databases):
    shell = "".join(line + "\n" for line in commands.splitlines() if not line.startswith("latchkey "))
    done = subprocess.run(["bash", "-eu", "-c", shell], cwd=server.folder, capture_output=True, text=True, timeout=300, check=False,
                          env={**os.environ, "PATH": f"{server.BIN}:{os.environ['PATH']}", "PGHOST": str(server.folder),
                               "PGUSER": "latchkey", **databases}, **server.user)
    assert done.returncode == 0, (shell, done.stderr)


def expect_same_service(stack, database, access_key, before):
    """A management service and a replica on the restored database: the rows, the log as it was, another epoch."""
    server = stack.store.server
    at_new = {"LATCHKEY_STORE": server.url(database)}
    keys = Service("keys", stack.data_dir.parent / f"{database}-keys" / "data", **at_new)
    tokens = Service("tokens", stack.data_dir.parent / f"{database}-tokens" / "data", **at_new)
    try:
        keys.start()
        tokens.start()
        eventually(lambda: tokens.client(access_key)("GET", "/v1/plan").status == 200)
        log = "SELECT md5(string_agg(c::text, '|' ORDER BY seq)) FROM changes c WHERE seq <= " + str(before["seq"])
        assert server.sql(log, database) == before["log"]
        assert server.sql("SELECT count(*) FROM access_keys", database) == before["keys"]
        assert server.sql("SELECT count(*) FROM sleeping_triggers()", database) == "0"
        position = tokens.client()("GET", "/readyz").json()["position"]
        assert position.split(".")[0] != before["epoch"]
        server.sql("UPDATE access_keys SET disabled = true", database)
        eventually(lambda: tokens.client(access_key)("GET", "/v1/plan").status == 401)
    finally:
        tokens.end()
        keys.end()


def test_the_documented_commands(stack):
    access_key, key = stack.admitted_key()
    stack.cli("key", "rotate", stack.create(user="bob")[1]["keyId"], "--yes")
    server, database = stack.store.server, stack.store.database
    sql = lambda text: server.sql(text, database)  # noqa: E731
    seq = sql("SELECT max(seq) FROM changes")
    before = {"seq": seq, "keys": sql("SELECT count(*) FROM access_keys"),
              "log": sql(f"SELECT md5(string_agg(c::text, '|' ORDER BY seq)) FROM changes c WHERE seq <= {seq}"),
              "epoch": stack.replicas[0].client()("GET", "/readyz").json()["position"].split(".")[0]}
    whole, apart = BLOCKS
    run(server, whole, OLD=server.url(database), NEW=server.url("new"))
    expect_same_service(stack, "new", access_key, before)
    server.sql("CREATE DATABASE apart")
    run(server, apart, NEW=server.url("apart"))
    expect_same_service(stack, "apart", access_key, before)

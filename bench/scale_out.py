"""How soon a commit is enforced where store and replica are apart: PostgreSQL, and a relay and Redis behind it."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).parent.parent / "test/e2e"))

from servers import Postgres, Redis  # noqa: E402


@contextlib.contextmanager
def ended(server):
    try:
        yield server.start()
    finally:
        server.end()


@contextlib.contextmanager
def relay(latchkey, directory, store, stream):
    settings = {"LATCHKEY_DATA_DIR": str(directory), "LATCHKEY_STORE": store, "LATCHKEY_STREAM": stream}
    process = subprocess.Popen([latchkey, "relay"], env={**os.environ, **settings}, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def measure(tools, directory, keys, seconds):
    """Every commit reaches the disk, as an operator would have it."""
    def run(*words):
        return subprocess.run([*map(str, words)], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, timeout=300).stdout

    def enforced(*words):
        return json.loads(run(tools.scale, "--stored", keys, "--seconds", seconds, *words))

    filled = directory / "filled"
    run(tools.scale, "--directory", filled, "--stored", keys, "--tokens", 1, "--fill-only")
    with ended(Postgres("-c", "fsync=on")) as postgres, ended(Redis(directory)) as redis:
        store = postgres.url(postgres.create_database())
        run(tools.latchkey, "store", "migrate", "--data-dir", filled, "--from", f"sqlite:{filled}/latchkey.db", "--to", store)
        direct = enforced("--store", store)
        with relay(tools.latchkey, directory / "relay", store, redis.url):
            return {"postgres": direct, "redis": enforced("--store", store, "--stream", redis.url)}

"""The permissions at Redis that docs/operations.md gives out suffice, and what is no plain Redis is called by its name."""

import re
import subprocess

import pytest

from latchkey import BINARY, Service, clean_environment, eventually
from redis_ways import documented_users as users_of_the_manual
from servers import Redis

pytestmark = pytest.mark.engines("redis", reason="about Redis")

def documented_users(redis):
    """Makes the users of the manual; returns their URLs and what they may run."""
    urls, commands = {}, set()
    for words in users_of_the_manual():
        assert redis.cli(*words) == "OK"
        urls[words[2]] = f"redis://{words[2]}:PASSWORD@127.0.0.1:{redis.port}/0"
        commands |= {word[1:] for word in words if word.startswith("+")}
    return urls, commands


def test_the_documented_permissions_suffice_and_none_is_idle(idle_stack):
    redis = idle_stack.redis
    for relay in idle_stack.relays:
        assert relay.stop() == 0
    urls, commands = documented_users(redis)
    for relay in idle_stack.relays:
        relay.settings["LATCHKEY_STREAM"] = urls["latchkey-relay"]
        relay.start()
    for replica in idle_stack.replicas:
        replica.settings["LATCHKEY_STREAM"] = replica.settings["LATCHKEY_LIMITER"] = urls["latchkey-tokens"]
    idle_stack.start()
    access_key, key = idle_stack.admitted_key()
    admin = idle_stack.admin()
    done = admin("PATCH", f"/v1/keys/{key['keyId']}?wait=enforced&timeout=1m", {"disabled": True}, timeout=120)
    assert done.status == 200 and {r["outcome"] for r in done.json()["enforcement"]["replicas"]} == {"applied"}
    for service in (*idle_stack.relays, *idle_stack.replicas):
        assert "NOPERM" not in service.tail()
    assert redis.cli("ACL", "LOG") == "", "nothing was refused"
    # Of the rest nothing happened here: a restored Redis, a snapshot renewed, a lease given back late, a database chosen,
    # a Sentinel's word checked.
    seen = set(re.findall(r"cmdstat_(\w+):", redis.cli("INFO", "commandstats")))
    assert commands - seen <= {"select", "role", "rename", "unlink", "hdel", "del", "zrem", "xrevrange", "expire", "persist", "hget",
                               "xrange"}, commands - seen


def test_a_missing_permission_is_named(tmp_path, idle_stack):
    redis = idle_stack.redis
    urls, _ = documented_users(redis)
    assert redis.cli("ACL", "SETUSER", "latchkey-tokens", "-info") == "OK"
    replica = idle_stack.replicas[0]
    replica.settings["LATCHKEY_LIMITER"] = urls["latchkey-tokens"]
    idle_stack.start()
    access_key, _ = idle_stack.create()
    eventually(lambda: replica.client(access_key)("GET", "/v1/plan").status in (200, 503) and
               "may not run 'info'; ACL SETUSER <user> +info" in replica.tail())


def test_a_missing_authority_is_named_with_its_setting():
    done = subprocess.run([BINARY, "tokens", "--check-config"], capture_output=True, text=True, timeout=300, check=False,
                          env={**clean_environment(), "LATCHKEY_LIMITER": "rediss://:sesame@localhost?ca=/nowhere/ca.pem"})
    assert done.returncode != 0 and "LATCHKEY_LIMITER" in done.stderr and "/nowhere/ca.pem" in done.stderr, done
    assert "sesame" not in done.stdout + done.stderr


def test_readiness_includes_the_limiter_where_that_is_asked_for(stack):
    client = stack.replicas[0].client()
    for path in ("/readyz", "/readyz?include=limiter"):
        eventually(lambda path=path: client("GET", path).status == 200)
    assert client("GET", "/readyz?include=limiter").json()["limiter"] == "reachable"
    stack.redis.pause()
    away = eventually(lambda: (reply := client("GET", "/readyz?include=limiter")).status == 503 and reply)
    assert away.problem == "not-ready" and away.json()["limiter"] == "unreachable"
    stack.redis.resume()
    eventually(lambda: client("GET", "/readyz?include=limiter").status == 200)
    assert client("GET", "/readyz?include=else").status == 400


@pytest.mark.parametrize("setting", ["LATCHKEY_STREAM", "LATCHKEY_LIMITER"])
def test_a_sentinel_is_called_a_sentinel(tmp_path, idle_stack, setting):
    sentinel = Redis(tmp_path)
    (tmp_path / "sentinel.conf").write_text(f"port {sentinel.port}\nbind 127.0.0.1\ndir {tmp_path}\n")
    sentinel.process = subprocess.Popen(["redis-server", str(tmp_path / "sentinel.conf"), "--sentinel"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    eventually(sentinel.answers)
    settings = {**idle_stack.replicas[0].settings, setting: sentinel.url}
    settings["LATCHKEY_DATA_DIR"] = str(tmp_path / "s" / "data")
    settings.pop("LATCHKEY_TOKENS_LISTEN")
    tokens = Service("tokens", tmp_path / "s" / "data", **settings).start("listening")
    idle_stack.start()
    access_key, _ = idle_stack.create()
    client = tokens.client(access_key)
    eventually(lambda: client("GET", "/v1/plan") and "Redis Sentinel" in tokens.tail().replace("a Sentinel", "Redis Sentinel"))
    assert "evict" not in tokens.tail()
    tokens.end()
    sentinel.end()

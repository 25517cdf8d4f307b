"""Revoked everywhere, and known to be: `wait=enforced`, `--wait`, GET /v1/replicas, and what replicas do that stop,
stall, die or cannot say that they serve."""

import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import pytest

from latchkey import BINARY, LONG, Stack, connect, eventually

pytestmark = pytest.mark.engines("sqlite", reason="replicas on other machines are not accounted for yet")

STALENESS = {"LATCHKEY_MAX_STALENESS": "2s"}
RACE = os.environ.get("LATCHKEY_RACE", str(pathlib.Path(BINARY).parent / "test/latchkey-race"))


@pytest.fixture
def brisk(tmp_path):
    """Both services, the second of which refuses by a view older than two seconds."""
    it = Stack(tmp_path, **STALENESS)
    yield it.start()
    it.end()


def disable(admin, key, wait="wait=enforced", disabled=True):
    return admin("PATCH", f"/v1/keys/{key['keyId']}?{wait}", {"disabled": disabled}, timeout=60)


def outcomes(reply):
    return sorted(r["outcome"] for r in reply.json()["enforcement"]["replicas"])


def replicas(stack):
    return stack.admin()("GET", "/v1/replicas").json()["replicas"]


class Waiter(threading.Thread):
    """Disables a key and waits for the confirmation; the change has been committed once this is constructed."""

    def __init__(self, stack, key, wait):
        self.admin, self.reply = stack.admin(), None
        super().__init__(target=lambda: setattr(self, "reply", disable(self.admin, key, wait)))
        other = stack.admin()
        self.start()
        eventually(lambda: other("GET", f"/v1/keys/{key['keyId']}").json()["status"] == "disabled")


def status_of(stack, access_key):
    return stack.holder(access_key)("GET", "/v1/tokens").status


def test_no_request_sent_after_the_confirmation_is_let_in(stack):
    access_key, key = stack.admitted_key(requests_per_minute=100_000)
    admin, holder = stack.admin(), stack.holder(access_key)
    for i in range(100):
        assert holder("GET", "/v1/tokens").status == 200
        reply = disable(admin, key)
        assert holder("GET", "/v1/tokens").status == 401, i
        assert reply.status == 200 and outcomes(reply) == ["applied"], reply.body
        assert reply.headers["Latchkey-Enforcement"].startswith("confirmed;applied=1;")
        assert disable(admin, key, disabled=False).status == 200


def test_every_mutation_can_be_waited_for(stack):
    admin = stack.admin()
    created = admin("POST", "/v1/keys?wait=enforced", {"userId": "alice", "requestsPerMinute": 9})
    assert created.status == 201 and outcomes(created) == ["applied"]
    access_key, path = created.json()["accessKey"], f"/v1/keys/{created.json()['key']['keyId']}"
    assert status_of(stack, access_key) == 200  # at once: it has arrived
    rotated = admin("POST", f"{path}/rotate?wait=enforced", {})
    assert status_of(stack, access_key) == 401 and outcomes(rotated) == ["applied"]
    access_key = rotated.json()["accessKey"]
    assert status_of(stack, access_key) == 200
    own = stack.keys.client(access_key)("POST", "/v1/plan/disable?wait=enforced")
    assert status_of(stack, access_key) == 401 and outcomes(own) == ["applied"]
    assert admin("PATCH", f"{path}?wait=enforced", {"disabled": False}).status == 200
    assert status_of(stack, access_key) == 200
    retired = admin("POST", "/v1/signing-keys/rotate?wait=enforced", {"retirePrevious": True})
    assert status_of(stack, access_key) == 401 and outcomes(retired) == ["applied"]
    deleted = admin("DELETE", f"{path}?wait=enforced")
    assert deleted.status == 204 and deleted.headers["Latchkey-Enforcement"].startswith("confirmed;applied=1;")


def test_the_replica_is_listed(stack):
    stack.create()
    shown = eventually(lambda: [r for r in replicas(stack) if r["lagChanges"] == 0])
    assert len(shown) == 1 and shown[0]["state"] == "serving", shown
    assert shown[0]["position"] == stack.admin()("GET", "/v1/replicas").json()["position"]
    assert shown[0]["lagMillis"] < 5000 and shown[0]["maxStalenessSeconds"] == 30 and shown[0]["name"]


def test_a_stalled_replica_is_behind_then_fenced_and_refuses_when_it_wakes(brisk):
    access_key, key = brisk.admitted_key(requests_per_minute=100_000)
    other_key, _ = brisk.admitted_key(requests_per_minute=100_000)
    admin, tokens = brisk.admin(), brisk.tokens.process.pid
    with connect(brisk.tokens.url) as waiting:
        os.kill(tokens, signal.SIGSTOP)
        try:
            behind = disable(admin, key, "wait=enforced&timeout=1s")
            assert behind.status == 202 and outcomes(behind) == ["waiting"], behind.body
            assert behind.json()["status"] == "disabled"
            fenced = disable(admin, key, "wait=enforced&timeout=20s")
            assert fenced.status == 200 and outcomes(fenced) == ["fenced"], fenced.body
            assert [r["state"] for r in replicas(brisk)] == ["fenced"]
            request = f"GET /v1/tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {access_key}\r\n\r\n"
            waiting.sendall(request.encode())  # sent after the confirmation; read when it wakes
        finally:
            os.kill(tokens, signal.SIGCONT)
        answer = waiting.recv(65536).split(b"\r\n", 1)[0]
    assert answer.split()[1] in (b"503", b"401"), answer
    eventually(lambda: status_of(brisk, other_key) == 200)
    assert status_of(brisk, access_key) == 401
    assert outcomes(disable(admin, key)) == ["applied"]


def test_a_killed_replica_passes_once_its_view_would_be_too_old(brisk):
    access_key, key = brisk.admitted_key()
    admin = brisk.admin()
    brisk.tokens.kill()
    begun = time.monotonic()
    reply = disable(admin, key, "wait=enforced&timeout=30s")
    assert reply.status == 200 and outcomes(reply) == ["fenced"], reply.body
    assert time.monotonic() - begun > 1.5  # not before: whoever was killed a moment ago was fresh then
    again = disable(admin, key)
    assert outcomes(again) == ["fenced"] and again.json()["enforcement"]["waitedMillis"] < 1000, again.body
    brisk.tokens.start()
    assert status_of(brisk, access_key) == 401
    assert outcomes(disable(admin, key)) == ["applied"]
    assert sorted(r["state"] for r in replicas(brisk)) == ["serving", "stopped"]


def test_a_replica_that_was_stopped_need_not_be_waited_for(stack):
    _, key = stack.admitted_key()
    assert stack.tokens.stop() == 0
    reply = disable(stack.admin(), key)
    assert reply.status == 200 and set(outcomes(reply)) <= {"stopped"}, reply.body
    assert reply.json()["enforcement"]["waitedMillis"] < 1500
    assert [r["state"] for r in replicas(stack)] == ["stopped"]


def test_a_replica_that_stops_meanwhile_passes_as_stopped(stack):
    _, key = stack.admitted_key()
    tokens = stack.tokens.process.pid
    os.kill(tokens, signal.SIGSTOP)
    waiter = Waiter(stack, key, "wait=enforced&timeout=60s")
    assert waiter.reply is None
    stack.tokens.process.send_signal(signal.SIGTERM)
    os.kill(tokens, signal.SIGCONT)
    waiter.join()
    assert waiter.reply.status == 200 and set(outcomes(waiter.reply)) <= {"applied", "stopped"}, waiter.reply.body
    assert stack.tokens.process.wait(timeout=60) == 0


def test_who_cannot_say_that_it_serves_does_not(idle_stack):
    stack = idle_stack
    stack.keys.start()
    access_key, _ = stack.create()
    obstacle = stack.data_dir / "replicas.db"
    obstacle.mkdir()
    stack.tokens.start(wait="listening")
    ready = stack.tokens.client()
    eventually(lambda: ready("GET", "/readyz").json()["state"] == "unregistered")
    reply = stack.holder(access_key)("GET", "/v1/tokens")
    assert reply.status == 503 and reply.problem == "stale-view"
    obstacle.rmdir()
    eventually(lambda: status_of(stack, access_key) == 200)


def test_who_can_no_longer_say_so_stops_serving(brisk):
    access_key, key = brisk.admitted_key(requests_per_minute=100_000)
    obstacle = brisk.data_dir / "replicas.db"
    for suffix in ("", "-wal", "-shm"):
        pathlib.Path(f"{obstacle}{suffix}").unlink(missing_ok=True)
    obstacle.mkdir()
    eventually(lambda: status_of(brisk, access_key) == 503)
    obstacle.rmdir()
    eventually(lambda: status_of(brisk, access_key) == 200)
    assert outcomes(disable(brisk.admin(), key)) == ["applied"]


def test_the_registry_deleted_below_a_running_replica_hides_nobody(stack):
    _, key = stack.admitted_key()
    admin = stack.admin()
    assert len(replicas(stack)) == 1  # what was lost before it was ever seen cannot be remembered
    for i in range(5):
        for suffix in ("", "-wal", "-shm"):
            pathlib.Path(f"{stack.data_dir}/replicas.db{suffix}").unlink(missing_ok=True)
        assert outcomes(disable(admin, key, disabled=i % 2 == 0)) == ["applied"]


def test_nothing_is_confirmed_where_unknown_replicas_may_follow_a_stream(stack):
    _, key = stack.admitted_key()
    (stack.data_dir / "state" / "relayed").touch()
    reply = disable(stack.admin(), key, "wait=enforced&timeout=1s")
    assert reply.status == 202 and reply.json()["enforcement"]["state"] == "unknown"
    assert stack.admin()("GET", "/v1/replicas").status == 503


def test_a_service_that_stops_answers_those_who_wait(stack):
    _, key = stack.admitted_key()
    os.kill(stack.tokens.process.pid, signal.SIGSTOP)
    try:
        waiter = Waiter(stack, key, "wait=enforced&timeout=5m")
        assert stack.keys.stop() == 0
        waiter.join()
    finally:
        os.kill(stack.tokens.process.pid, signal.SIGCONT)
    assert waiter.reply.status == 202 and waiter.reply.json()["enforcement"]["state"] == "pending"


def test_the_command_line_waits_and_tells(brisk):
    _, key = brisk.admitted_key()
    done = brisk.cli("key", "disable", key["keyId"], "--yes", "--wait")
    assert "Enforced at every replica." in done.stderr and "applied" in done.stderr
    shown = json.loads(brisk.cli("key", "enable", key["keyId"], "--wait", "-o", "json").stdout)
    assert shown["enforcement"]["state"] == "confirmed"
    listed = brisk.cli("replicas").stdout.splitlines()
    assert len(listed) == 2 and listed[0].startswith("REPLICA") and "serving" in listed[1]
    assert json.loads(brisk.cli("replicas", "-o", "json").stdout)["replicas"][0]["lagChanges"] == 0
    os.kill(brisk.tokens.process.pid, signal.SIGSTOP)
    try:
        late = brisk.cli("key", "disable", key["keyId"], "--yes", "--wait", "--wait-timeout", "1s", check=False)
        assert late.returncode == 1 and "not confirmed" in late.stderr and "waiting" in late.stderr
        gone = brisk.cli("key", "delete", key["keyId"], "--yes", "--wait")
        assert "fenced=1" in gone.stderr
    finally:
        os.kill(brisk.tokens.process.pid, signal.SIGCONT)
    assert brisk.cli("key", "disable", key["keyId"], "--wait-timeout", "1s", check=False).returncode == 2
    assert brisk.cli("key", "disable", key["keyId"], "--wait", "--wait-timeout", "x", check=False).returncode == 2


def test_what_happens_is_counted(stack):
    _, key = stack.admitted_key()
    disable(stack.admin(), key)
    text = stack.keys.client()("GET", "/metrics").body.decode()
    assert 'latchkey_confirmations_total{outcome="applied"} 1' in text
    assert "latchkey_confirmation_seconds_count 1" in text
    assert "latchkey_replicas 1" in text and "latchkey_replicas_oldest_view_seconds" in text


def test_requests_racing_confirmed_revocations(stack, tmp_path):
    """The whole promise: of very many requests around very many revocations, none that was sent after its key's
    confirmation had come is let in."""
    revocations, requests = (1000, 1_000_000) if LONG else (200, 100_000)
    admin = stack.admin()
    lines = []
    for i in range(revocations):
        made = admin("POST", "/v1/keys", {"userId": f"user-{i}", "requestsPerMinute": 600_000})
        assert made.status == 201, made
        lines.append(f"{made.json()['key']['keyId']} {made.json()['accessKey']}")
    (tmp_path / "keys").write_text("\n".join(lines))
    (tmp_path / "admin").write_text(stack.admin_token())
    ports = [str(s.url.rsplit(":", 1)[1]) for s in (stack.keys, stack.tokens)]
    done = subprocess.run([RACE, ports[0], tmp_path / "admin", tmp_path / "keys", str(requests), ports[1]],
                          capture_output=True, text=True, timeout=1200, check=False)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["falseAdmissions"] == 0, result
    assert result["requests"] >= requests and result["revocations"] == revocations
    # Much was let in before and much was tried after: a race that nobody ran proves nothing.
    assert result["admitted"] > requests / 20 and result["sentAfterConfirmation"] > requests / 20, result
    assert result["other"] == 0, result

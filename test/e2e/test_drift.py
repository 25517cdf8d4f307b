"""A view whose rows are no longer the store's, which no position shows: found by the digest, said, and loaded anew."""

import signal

import pytest

from latchkey import eventually
from stores import SqliteFile

OFTEN = {"LATCHKEY_DIGEST_INTERVAL": "1s"}


def compared(replica, more_than=0):
    return replica.metric("latchkey_digest_same_total") > more_than


def says_same(replica):
    return replica.client()("GET", "/readyz").json()["rows"] == "same"


def plan_status(stack, access_key):
    return stack.holder(access_key)("GET", "/v1/plan").status


def has_hook(replica):
    """Of a debug build: SIGUSR2 is caught."""
    caught = next(line for line in open(f"/proc/{replica.process.pid}/status") if line.startswith("SigCgt"))
    return int(caught.split()[1], 16) >> (signal.SIGUSR2 - 1) & 1


def past_the_triggers(stack, statement):
    if stack.pairing.store is SqliteFile:
        stack.sql(f"DROP TRIGGER access_keys_UPDATE; {statement}")
    else:
        stack.sql(f"ALTER TABLE access_keys DISABLE TRIGGER USER; {statement}; SELECT enable_triggers()")


def test_what_is_the_same_is_left_in_peace(make_stack):
    stack = make_stack(**OFTEN).start()
    access_key, key = stack.admitted_key()
    for replica in stack.replicas:
        eventually(lambda r=replica: compared(r, 1))
    stack.cli("key", "rotate", key["keyId"], "--yes", "--grace", "1h")
    stack.sql("UPDATE access_keys SET requests_per_minute = 7")
    stack.sql("DELETE FROM access_keys")
    eventually(lambda: plan_status(stack, access_key) == 401)
    for replica in stack.replicas:
        before = replica.metric("latchkey_digest_same_total")
        eventually(lambda r=replica, n=before: compared(r, n + 1))
        assert replica.metric("latchkey_digest_drifts_total") == 0, replica.tail()
        eventually(lambda r=replica: says_same(r))


def test_a_row_that_flipped_in_memory_is_found_and_mended(make_stack):
    stack = make_stack(**OFTEN).start()
    access_key, _ = stack.admitted_key()
    replica = stack.replicas[0]
    if not has_hook(replica):
        pytest.skip("not a debug build")
    eventually(lambda: compared(replica))
    replica.signal(signal.SIGUSR2)
    eventually(lambda: replica.metric("latchkey_digest_drifts_total") == 1)
    eventually(lambda: replica.metric("latchkey_view_reloads_total") == 1)
    eventually(lambda: "view: reloading: the rows at " in replica.tail())
    after = replica.metric("latchkey_digest_same_total")
    eventually(lambda: compared(replica, after))
    eventually(lambda: plan_status(stack, access_key) == 200)
    eventually(lambda: says_same(replica))
    assert replica.metric("latchkey_digest_drifts_total") == 1


@pytest.mark.promises("a row, unseen: changed past the triggers, flipped in memory, wrong in a replica's own file")
def test_a_row_changed_past_the_triggers_is_found_and_enforced(make_stack):
    stack = make_stack(**OFTEN).start()
    access_key, key = stack.admitted_key()
    other, _ = stack.admitted_key(user="bob")
    past_the_triggers(stack, f"UPDATE access_keys SET disabled = (1 = 1) WHERE key_id = '{key['keyId']}'")
    eventually(lambda: plan_status(stack, access_key) == 401)
    eventually(lambda: plan_status(stack, other) == 200)
    for replica in stack.replicas:
        eventually(lambda r=replica: r.metric("latchkey_digest_drifts_total") >= 1)
        eventually(lambda r=replica: says_same(r))


def test_a_replicas_own_file_proves_its_rows_when_it_starts(make_stack):
    """Compared at the start, however long the interval: what changed while it was away, past the triggers, is found."""
    stack = make_stack(LATCHKEY_DIGEST_INTERVAL="1d").start()
    access_key, key = stack.admitted_key()
    assert stack.tokens.stop() == 0
    past_the_triggers(stack, f"UPDATE access_keys SET disabled = (1 = 1) WHERE key_id = '{key['keyId']}'")
    stack.tokens.start()
    eventually(lambda: plan_status(stack, access_key) == 401)
    for replica in stack.replicas:
        eventually(lambda r=replica: "view: started from " in r.log.read_text())

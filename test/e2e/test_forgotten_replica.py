"""A replica that has ended without a word, and an operator who says so: `latchkey replicas forget`."""

import json

import pytest

from latchkey import eventually


@pytest.fixture
def brisk(make_stack):
    """Replicas that refuse by a view older than two seconds."""
    stack = make_stack(LATCHKEY_MAX_STALENESS="2s")
    for number, replica in enumerate(stack.replicas):
        replica.settings["LATCHKEY_REPLICA_NAME"] = f"replica-{number}"
    return stack.start()


def listed(stack):
    return {r["replicaId"]: r["state"] for r in stack.admin()("GET", "/v1/replicas").json()["replicas"]}


def of_the_list(stack, replica_id, member):
    (found,) = [r for r in stack.admin()("GET", "/v1/replicas").json()["replicas"] if r["replicaId"] == replica_id]
    return found[member]


def forget(stack, replica_id, *more, check=False):
    return stack.cli("replicas", "forget", replica_id, *more, check=check)


def id_of(stack, name):
    (found,) = [r["replicaId"] for r in stack.admin()("GET", "/v1/replicas").json()["replicas"] if r["name"] == name]
    return found


def disable(stack, key, disabled=True, timeout="1m"):
    reply = stack.admin()("PATCH", f"/v1/keys/{key['keyId']}?wait=enforced&timeout={timeout}", {"disabled": disabled})
    return reply.json()["enforcement"]


@pytest.mark.promises("Nothing waits for it from then on", "It is refused while the replica has reported within its `S`",
                      "A replica that was forgotten by mistake")
def test_it_is_forgotten_once_it_must_have_fenced_itself(brisk):
    _, key = brisk.admitted_key()
    before, dead = listed(brisk), id_of(brisk, "replica-0")
    asked = forget(brisk, dead)
    assert asked.returncode == 2 and "Has replica" in asked.stderr and listed(brisk).keys() == before.keys()

    def is_refused():
        """But where it was starved, and had to fence itself; with its next report it is back."""
        early = forget(brisk, dead, "--yes")
        return early.returncode == 1 and "(409)" in early.stderr
    eventually(is_refused)
    assert forget(brisk, "0" * 32, "--yes").returncode == 1
    brisk.replicas[0].kill()
    eventually(lambda: listed(brisk)[dead] == "fenced")
    told = forget(brisk, dead, "--yes", "-o", "json", check=True)
    assert json.loads(told.stdout) == {"replicaId": dead}
    assert dead not in listed(brisk)
    eventually(lambda: f"that replica {dead}, named " in brisk.keys.tail())
    enforcement = disable(brisk, key)
    assert enforcement["state"] == "confirmed" and dead not in {r["replicaId"] for r in enforcement["replicas"]}
    assert f"{dead} " not in brisk.cli("replicas").stdout, "the list is still what `replicas` alone shows"
    brisk.replicas[0].start()
    assert disable(brisk, key, disabled=False)["state"] == "confirmed"


@pytest.mark.engines("postgres", reason="the registry is a table, which a failover or a dump brings along")
@pytest.mark.promises("Once it is certain that it has ended", "3. The dump has the replicas of the life before")
def test_one_of_another_life_of_the_database_is_waited_for_until_an_operator_gives_it_up(brisk):
    _, key = brisk.admitted_key()
    dead = "d" * 32
    brisk.sql("INSERT INTO replicas (id, name, number, stopped, applied, applied_nonce, view_age_ms, max_staleness_ms, started_at,"
              f" reported_at) VALUES ('{dead}', 'dead', 7, false, '00c0ffee00c0ffee.42', 1, 0, 2000, 1, 1)")
    enforcement = disable(brisk, key, timeout="5s")
    assert enforcement["state"] == "pending", enforcement
    assert {r["replicaId"]: r["outcome"] for r in enforcement["replicas"]}[dead] == "other-epoch"
    assert eventually(lambda: listed(brisk)[dead] not in ("serving", "silent"))
    assert listed(brisk)[dead] == "other-epoch", "it may serve by the other life: it is not fenced"
    # As a replica of a release before plans and users reports.
    assert of_the_list(brisk, dead, "understands") == 1 and of_the_list(brisk, dead, "outdated")
    brisk.sql(f"UPDATE replicas SET understands = 99 WHERE id = '{dead}'")
    assert eventually(lambda: not of_the_list(brisk, dead, "outdated"))
    forget(brisk, dead, "--yes", check=True)
    enforcement = disable(brisk, key, disabled=False)
    assert enforcement["state"] == "confirmed", "nor is the registry in doubt"

"""docs/operations.md promises nothing that no scenario holds."""

import pytest

import promises

pytestmark = pytest.mark.short

# What stands there to explain or to advise, and promises nothing of its own: the sentences' beginnings.
EXPLANATIONS = (
    "**Embedded.** One machine", "`LATCHKEY_STORE=sqlite` (default)", "**PostgreSQL with direct replicas.** Several machines",
    "`LATCHKEY_STORE=postgresql://…` for both services", "**PostgreSQL, relay, Redis, for each region.**",
    "`relay`: `LATCHKEY_STORE`, `LATCHKEY_STREAM`", "Replicas: `LATCHKEY_STREAM` and", "`compose.yaml` starts one region",
    "Rules that hold everywhere", "A replica that reads a PostgreSQL standby trusts NTP", "Take the disagreement that you allow",
    "What admins, holders and limits see", "`S` is `LATCHKEY_MAX_STALENESS`", "It says which.", "Set it alike at replicas",
    "Clocks: limits need none", "At the very first start say that there was nothing",
    "**Embedded, backup.** At any time", "2. Keep a copy of `secrets/signing`", "Signing keys change only by", "**Embedded, restore.**",
    "5. Delete `latchkey.db.before-restore", "Or base backups with an archive", "Not `pg_restore --data-only`",
    "But one that reported here and went over", "Patroni does with its watchdog", "Where a URL names several hosts",
    "Its data may be whole, but nothing proves it", "Look at its answer: with", "Never say so after Redis lost its data",
    "Replicas on one machine need a directory each", "Backup and restore: see", "What is known of the past stands in",
    "Each management service keeps a list of its own", "For a subscriber that is there for reports", "In session mode leave room in the pool",
    "Rows are changed through the triggers", "Those of the release before that still run", "2. **Relays**, one after the other",
    "3. **Replicas**, one after the other", "An embedded store of release 0.1.0 begins", "Release 0.1.0 looks at the schema", "There is no way back but a backup",
    "One that serves by another primary is not", "**Sentinel** names the primary by address", "Sentinel itself speaks TLS to the servers",
)
# Held by a test elsewhere, which has no mark.
ELSEWHERE = {
    "**Many keys at once.** `latchkey key disable": "e2e/test_many_keys.py", "`--dry-run` says which keys match": "e2e/test_many_keys.py",
    "A deletion takes exactly the keys that were shown": "e2e/test_many_keys.py",
    "A key that no longer matches when its turn comes": "e2e/test_many_keys.py", "Where it stops half-way": "e2e/test_many_keys.py",
    "At a first start any order is right": "e2e/test_first_start.py",
    "Redis 7: one server that takes writes": "e2e/test_redis_permissions.py",
    "Nodes of a Cluster are refused": "../src/redis/redis_test.cpp",
    "`redis://[[user]:password@]host[:6379][/database]`": "../src/redis/ways_test.cpp",
    "`rediss://…[?ca=FILE&name=NAME&cert=FILE&key=FILE]`": "../src/redis/ways_test.cpp",
    "`redis-sentinel://[[user]:password@]host[:26379],host…/PRIMARY[/database][?sentinel-user=U&sentinel-password=P]`": "../src/redis/ways_test.cpp",
    "`rediss-sentinel://…`": "e2e/test_main_job_over_tls.py",
    "`LATCHKEY_STREAM` and `LATCHKEY_LIMITER` take these forms": "../src/redis/redis_test.cpp",
    "**TLS.** The server's certificate is always verified": "../src/redis/ways_test.cpp",
    "`ca` is a PEM file of authorities": "../src/redis/ways_test.cpp",
    "The certificate must have the host's name": "../src/redis/ways_test.cpp",
    "`cert` and `key` (PEM, the key without a password)": "../src/redis/ways_test.cpp",
    "Files are checked at start and read for each new connection": "../src/redis/ways_test.cpp",
    "While no Sentinel answers, the last known primary serves": "../src/redis/ways_test.cpp",
    "At a Sentinel: `+ping": "../src/redis/ways_test.cpp",
    "Where permissions are given out, these suffice": "e2e/test_redis_permissions.py",
    "A command that is refused for want of a permission": "e2e/test_redis_permissions.py",
    "`LATCHKEY_STORE` leads to the PostgreSQL database": "e2e/test_postgres.py",
    "A copy that no management service commits to": "e2e/test_dump_restore.py",
    "A pooler in between must give each client": "e2e/test_pooler.py",
    "Transaction and statement mode would lose LISTEN": "e2e/test_pooler.py",
    "They fire whatever `session_replication_role` says": "e2e/test_drift.py",
    "Where they were disabled, the management service": "e2e/test_drift.py",
    "relay, replica": "e2e/test_upgrade.py",
    "relay or replica of the *newer* release, on a store that was not brought up": "e2e/test_upgrade.py",
    "1. **Management services.** Each brings the store up": "e2e/test_upgrade.py",
    "A step adds tables and columns": "e2e/test_upgrade.py",
    "Their own files are read by the next release": "e2e/test_upgrade.py",
    "A change of a kind that an older replica does not know": "../src/replica/confirmations_test.cpp",
    "`latchkey replicas` shows which are outdated": "e2e/test_forgotten_replica.py",
    "A backup that is damaged, in use, of a newer release": "e2e/test_backup.py",
    "**PostgreSQL.** The server's own tools": "e2e/test_backup.py",
    "A `-wal` and `-shm` that belong to the life before": "e2e/test_restored_file.py",
    "It is no part of a backup: a copy of it": "e2e/test_restored_file.py",
    "Where it is missing, was copied": "e2e/test_restored_file.py",
    "Order: management service, relays, replicas": "e2e/test_upgrade.py",
}
# Not to be run here.
NOT_RUN = {}


def test_what_is_held_elsewhere_is_there():
    assert all((promises.HERE.parent / file).is_file() for file in ELSEWHERE.values())


def uncovered(text, held):
    known = [*held, *EXPLANATIONS, *ELSEWHERE, *NOT_RUN]
    return [one for one in promises.promised(text) if not any(promises.covers(beginning, one) for beginning in known)]


def test_every_row_and_sentence_has_a_scenario():
    without = uncovered(promises.DOCUMENT.read_text(), promises.held())
    assert not without, "no scenario holds:\n" + "\n".join(without)


def test_every_scenario_holds_something_that_is_still_promised():
    promised = promises.promised(promises.DOCUMENT.read_text())
    for beginning in [*promises.held(), *EXPLANATIONS, *ELSEWHERE, *NOT_RUN]:
        assert any(promises.covers(beginning, one) for one in promised), f"nothing in docs/operations.md begins so: {beginning}"


def test_a_row_or_sentence_without_one_is_noticed():
    text = ("## When a part dies\n\nAll is well here. Nobody is ever refused for long.\n\n| dies | until |\n|---|---|\n| the moon | dawn |\n\n"
            "- A rule\n  of two lines.\n\n```\nno promise.\n```\n\n## Sizing\n\nNo promise either.\n")
    everything = ["| the moon |", "All is well here.", "Nobody is ever refused for long.", "A rule of two lines."]
    assert sorted(promises.promised(text)) == sorted(everything)
    assert uncovered(text, {"Nobody is ever": "x", "All is well": "x"}) == ["| the moon |", "A rule of two lines."]

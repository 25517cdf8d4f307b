"""What goes for good: rows of keys that were deleted long ago, and a person's name."""

import json
import subprocess
import time
import urllib.parse

import pytest

from latchkey import eventually

NAMES = ("Zoë Müller", "Анна", "王小明", "a b")


def quoted(name):
    return urllib.parse.quote(name, safe="-._~")


def purge(stack, when, **options):
    return stack.admin()("POST", "/v1/keys:purge", {"deletedBefore": when, **options})


def test_deleted_keys_are_purged_and_their_tokens_stay_refused(stack):
    admin = stack.admin()
    access_key, key = stack.admitted_key(user="alice")
    _, alive = stack.admitted_key(user="alice")
    admin("DELETE", f"/v1/keys/{key['keyId']}?wait=enforced&timeout=1m")
    assert purge(stack, "24h").json()["purged"] == 0, "it was deleted just now"
    long_ago = int(time.time() * 1000) - 100 * 86_400_000
    stack.sql(f"UPDATE access_keys SET command = 'update', updated_by = 'ops', updated_at = {long_ago} WHERE key_id = '{key['keyId']}'")
    assert purge(stack, "90d", dryRun=True).json() == {"matched": 1}
    done = json.loads(stack.cli("key", "purge", "--deleted-before", "90d", "--yes", "-o", "json").stdout)
    assert done["purged"] == 1
    assert admin("GET", f"/v1/keys/{key['keyId']}").status == 404
    assert admin("GET", f"/v1/keys/{alive['keyId']}").status == 200
    change = admin("GET", "/v1/changes?limit=1000").json()["changes"][-1]
    assert (change["action"], change["key"]["status"]) == ("purge", "deleted")
    assert stack.holder(access_key)("GET", "/v1/tokens").status == 401
    for wrong in ("1h", "tomorrow", "", None):
        refused = purge(stack, wrong)
        assert refused.status == 400 and refused.json()["errors"][0]["pointer"] == "/deletedBefore", wrong


def test_user_ids_in_any_script(stack):
    admin = stack.admin()
    for name in NAMES:
        access_key, key = stack.admitted_key(user=name)
        assert key["userId"] == name
        assert admin("PUT", f"/v1/users?userId={quoted(name)}", {}).status == 201
        assert admin("GET", f"/v1/users/{quoted(name)}").json()["userId"] == name
        page = admin("GET", f"/v1/keys?userId={quoted(name)}").json()["keys"]
        assert [row["keyId"] for row in page] == [key["keyId"]]
        reply = stack.holder(access_key)("GET", "/v1/authorize")
        assert reply.status == 200
        assert reply.headers["X-Latchkey-User"] == ""
        assert reply.headers["X-Latchkey-User-Encoded"] == quoted(name)
        assert admin("POST", "/v1/keys:disable", {"userId": name}).json()["changed"] == 1
        assert json.loads(stack.cli("user", "show", name, "-o", "json").stdout)["userId"] == name
    for wrong in ("Zoe\u0308", "a\u202eb", "a\u200d", "\ufeffa", "\u0378", ".", "..", "a\nb", "\u738b" * 43, ""):
        made = admin("POST", "/v1/keys", {"userId": wrong, "requestsPerMinute": 5})
        assert made.status == 400 and made.json()["errors"][0]["pointer"] == "/userId", repr(wrong)
        if wrong:
            assert admin("PUT", f"/v1/users?userId={quoted(wrong)}", {}).status == 400, repr(wrong)


def test_an_erased_user_is_named_nowhere_but_where_the_command_said(stack):
    admin = stack.admin()
    person = "zoe.canary.4711"
    access_key, key = stack.admitted_key(user=person, name="canary laptop 4711", metadata={"mail": "canary-4711@example.org"})
    admin("PATCH", f"/v1/keys/{key['keyId']}", {"name": "canary phone 4711"})
    admin("PUT", f"/v1/users/{person}", {"metadata": {"phone": "canary-4711"}})
    other, _ = stack.admitted_key(user="bob")
    erased = json.loads(stack.cli("user", "erase", person, "--yes", "-o", "json").stdout)
    assert erased["pseudonym"].startswith("erased-") and erased["keys"] == 1 and erased["changes"] >= 4
    assert any("request log" in holder for holder in erased["stillHeldBy"])
    eventually(lambda: stack.holder(access_key)("GET", "/v1/tokens").status == 401)
    assert stack.holder(other)("GET", "/v1/tokens").status == 200
    assert admin("GET", f"/v1/users/{person}").status == 404
    assert admin("GET", f"/v1/keys?userId={person}").json()["keys"] == []
    changes = admin("GET", "/v1/changes?limit=1000")
    assert b"4711" not in changes.body
    assert changes.json()["changes"][-1]["action"] == "user-erase"
    assert admin("GET", f"/v1/keys/{key['keyId']}").json()["userId"] == erased["pseudonym"]
    eventually(lambda: found_in_store(stack) == [])
    verified = stack.cli("store", "verify", env=stack.store.settings)
    assert "erased" in verified.stdout + verified.stderr, "the chain holds, and says which rows were erased"
    assert admin("POST", f"/v1/users/{person}/erase").status == 404, "nothing names the user any more"
    again, _ = stack.admitted_key(user=person)
    assert stack.holder(again)("GET", "/v1/tokens").status == 200, "the id may be used anew"


def found_in_store(stack):
    """Where the store still has the canary."""
    if stack.database.exists():
        files = [path for path in stack.data_dir.glob("latchkey.db*") if path.is_file()]
        return [path.name for path in files if b"4711" in path.read_bytes()]
    tables = ("access_keys", "users", "plans", "changes", "idempotency", "audit", "notices", "notice_marks")
    found = " UNION ALL ".join(f"SELECT t::text AS row FROM {table} t" for table in tables)
    rows = stack.store.server.sql(f"SELECT count(*) FROM ({found}) r WHERE row LIKE '%4711%'", stack.store.database)
    return [] if str(rows).strip() == "0" else [rows]


def test_only_the_erasure_may_rewrite_the_log(stack):
    stack.admitted_key(user="alice")
    for statement in ("UPDATE changes SET user_id = 'x'", "UPDATE changes SET disabled = NULL", "DELETE FROM changes"):
        with pytest.raises((subprocess.CalledProcessError, AssertionError)):
            stack.sql(statement)
    assert stack.admin()("GET", "/v1/changes").json()["changes"][-1]["key"]["userId"] == "alice"

"""What a key may be used for, and from where: scopes and networks of keys and plans, over HTTP."""

import itertools
import json

import pytest

from latchkey import eventually, raw

RULES = ('[[rule]]\nname = "read"\nscope = "orders:read"\n[[rule]]\nname = "both"\nscope = ["orders:read", "billing"]\n'
         '[[rule]]\nname = "any"\n')


@pytest.fixture
def door(make_stack, tmp_path):
    def start(**settings):
        (tmp_path / "rules.toml").write_text(RULES)
        return make_stack(LATCHKEY_RULES=str(tmp_path / "rules.toml"), **settings).start()
    return start


def ask(stack, access_key, rule, **headers):
    """What every replica says: None where it lets in, else the problem."""
    replies = [r.client(access_key)("GET", f"/v1/rules/{rule}/authorize", headers={k.replace("_", "-"): v for k, v in headers.items()})
               for r in stack.replicas]
    answers = {reply.problem if reply.status != 200 else None for reply in replies}
    assert len(answers) == 1, replies
    return answers.pop()


def test_scopes_of_key_and_plan(door):
    stack = door()
    admin = stack.admin()
    limits = [{"name": "per-minute", "requests": 1000, "window": "60s"}]
    plan = admin("PUT", "/v1/plans/pro", {"limits": limits, "scopes": ["orders:*"]}, headers={"If-None-Match": "*"})
    assert plan.status == 201 and plan.json()["scopes"] == ["orders:*"] and plan.json()["networks"] is None
    expected = {  # own list → what the rules read, both and any say
        None: (None, "insufficient-scope", None), ("orders:read", "billing"): (None, None, None),
        ("billing",): ("insufficient-scope", "insufficient-scope", None), (): ("insufficient-scope", "insufficient-scope", None)}
    for scopes, answers in expected.items():
        body = {"userId": "alice", "plan": "pro"} | ({} if scopes is None else {"scopes": list(scopes)})
        made = admin("POST", "/v1/keys?wait=enforced", body)
        assert made.status == 201, made
        shown = made.json()["key"]
        assert shown["scopes"] == (None if scopes is None else list(scopes))
        assert shown["effective"]["scopes"] == (["orders:*"] if scopes is None else list(scopes))
        assert tuple(ask(stack, made.json()["accessKey"], rule) for rule in ("read", "both", "any")) == answers, scopes
    key, _ = stack.admitted_key()
    assert [ask(stack, key, rule) for rule in ("read", "both", "any")] == [None] * 3, "no list is every scope"


def test_a_refusal_names_the_scopes_and_an_answer_hands_on_what_is_in_force(door):
    stack = door()
    key, row = stack.admitted_key(scopes=["orders:*"])
    refused = stack.holder(key)("GET", "/v1/rules/both/authorize")
    assert refused.status == 403
    assert refused.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="orders:read billing"'
    let_in = stack.holder(key)("GET", "/v1/rules/read/authorize")
    assert (let_in.headers["X-Latchkey-Scopes"], let_in.headers["X-Latchkey-Plan"]) == ("orders:*", "")
    done = stack.admin()("PATCH", f"/v1/keys/{row['keyId']}?wait=enforced", {"scopes": None})
    assert done.status == 200 and done.json()["scopes"] is None
    assert ask(stack, key, "both") is None, "enforced once it is confirmed"


def test_networks_by_the_peer(door):
    stack = door()
    inside, _ = stack.admitted_key(networks=["127.0.0.0/8", "::1"])
    outside, row = stack.admitted_key(networks=["192.0.2.0/24"])
    nowhere, _ = stack.admitted_key(networks=[])
    assert [ask(stack, key, "any") for key in (inside, outside, nowhere)] == [None] + ["network-not-allowed"] * 2
    assert stack.holder(outside)("GET", "/v1/tokens").problem == "network-not-allowed"
    assert stack.holder(outside)("GET", "/v1/plan").status == 200, "a holder's own affairs"
    for name in ("X-Forwarded-For", "x-fOrWaRdEd-fOr", "Forwarded", "X-Real-IP"):
        text = "for=192.0.2.1" if name == "Forwarded" else "192.0.2.1"
        assert ask(stack, outside, "any", **{name.replace("-", "_"): text}) == "network-not-allowed", name
    stack.admin()("PATCH", f"/v1/keys/{row['keyId']}?wait=enforced", {"networks": ["127.0.0.1"]})
    assert ask(stack, outside, "any") is None


def test_networks_by_the_word_of_a_trusted_proxy(door):
    stack = door(LATCHKEY_TRUSTED_PROXIES="127.0.0.0/8", LATCHKEY_CLIENT_ADDRESS="x-forwarded-for")
    key, _ = stack.admitted_key(networks=["192.0.2.0/24", "2001:db8::/32"])
    assert ask(stack, key, "any", X_Forwarded_For="192.0.2.1") is None
    assert ask(stack, key, "any", X_Forwarded_For="2001:db8::5") is None
    assert ask(stack, key, "any", X_Forwarded_For="::ffff:192.0.2.9") is None
    assert ask(stack, key, "any", X_Forwarded_For="192.0.2.1, 198.51.100.7") == "network-not-allowed", "the right-most counts"
    assert ask(stack, key, "any", X_Forwarded_For="nonsense") == "network-not-allowed"
    doubled = raw(stack.replicas[0].url, (f"GET /v1/rules/any/authorize HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: {key}\r\n"
                                          "X-Forwarded-For: 192.0.2.1\r\nx-forwarded-for: 198.51.100.7\r\n\r\n").encode())
    assert doubled.startswith(b"HTTP/1.1 403"), doubled


def test_what_is_refused_takes_nothing(door):
    stack = door()
    key, _ = stack.admitted_key(requests_per_minute=1, scopes=["x"])
    far, _ = stack.admitted_key(requests_per_minute=1, networks=["192.0.2.0/24"])
    for _ in range(3):
        assert ask(stack, key, "read") == "insufficient-scope"
        assert ask(stack, far, "any") == "network-not-allowed"
    assert stack.holder(key)("GET", "/v1/rules/any/authorize").status == 200, "its one request is still there"


# In the order of the check; what is said where it is the first that fails.
CHECKS = {"signature": "invalid-token", "status": "key-disabled", "expiry": "key-expired", "network": "network-not-allowed",
          "scope": "insufficient-scope", "limits": "rate-limited"}


def test_the_first_check_that_fails_is_the_answer_and_only_an_admission_takes_a_permit(door):
    stack, rows = door(), []
    admin = stack.admin()

    def ask_one(access_key, rule):  # one replica: a limit may be shared
        reply = stack.replicas[0].client(access_key)("GET", f"/v1/rules/{rule}/authorize")
        return None if reply.status == 200 else reply.problem

    for fails in itertools.product((False, True), repeat=len(CHECKS)):
        wrong = {name for name, failing in zip(CHECKS, fails) if failing}
        key, row = stack.create(user="e" if "expiry" in wrong else "alice", requests_per_minute=1, scopes=["orders:read"])
        rows.append((wrong, key, f"/v1/keys/{row['keyId']}"))
    eventually(lambda: ask_one(rows[-1][1], "none") == "no-rule")
    for wrong, key, path in rows:
        if "limits" in wrong:
            assert ask_one(key, "any") is None
        changes = {**({"disabled": True} if "status" in wrong else {}), **({"networks": ["192.0.2.0/24"]} if "network" in wrong else {}),
                   **({"scopes": ["other"]} if "scope" in wrong else {})}
        if changes:
            assert admin("PATCH", path, changes).status == 200
    stack.sql("UPDATE access_keys SET expires_at = 1000 WHERE user_id = 'e'")
    last = admin("POST", "/v1/keys?wait=enforced&timeout=1m", {"userId": "z", "requestsPerMinute": 1})
    assert last.json()["enforcement"]["state"] == "confirmed", "every change before it, too"
    for wrong, key, _ in rows:
        shown = key[:-8] + ("AAAAAAAA" if not key.endswith("AAAAAAAA") else "BBBBBBBB") if "signature" in wrong else key
        expected = next((problem for name, problem in CHECKS.items() if name in wrong), None)
        assert ask_one(shown, "read") == expected, wrong
    for wrong, key, path in rows:
        if "limits" in wrong or not wrong:
            continue
        admin("PATCH", path, {"disabled": False, "networks": None, "scopes": None, "expiresAt": None})
    last = admin("POST", "/v1/keys?wait=enforced&timeout=1m", {"userId": "z", "requestsPerMinute": 1})
    assert last.json()["enforcement"]["state"] == "confirmed"
    for wrong, key, _ in rows:
        if wrong and "limits" not in wrong:
            assert [ask_one(key, "any") for _ in range(2)] == [None, "rate-limited"], ("its one request is still there", wrong)


def test_wrong_lists_are_named(stack):
    wrong = stack.admin()("POST", "/v1/keys", {"userId": "a", "requestsPerMinute": 1, "scopes": ["a b"], "networks": ["10.0.0.1/8", 5]})
    assert wrong.status == 400
    assert {error["pointer"] for error in wrong.json()["errors"]} == {"/scopes/0", "/networks/0", "/networks/1"}
    assert "10.0.0.0/8" in json.dumps(wrong.json()), "what was probably meant"


def test_a_prefix_is_shown_and_any_passes(make_stack):
    stack = make_stack(LATCHKEY_KEY_PREFIX="acme_live_").start()
    key, row = stack.create()
    assert key.startswith("acme_live_eyJ")
    token = key.removeprefix("acme_live_")
    eventually(lambda: stack.holder(key)("GET", "/v1/plan").status == 200)
    for presented in (key, token, "other_" + token):
        assert stack.holder(presented)("GET", "/v1/tokens").status == 200
        assert stack.keys.client(presented)("GET", "/v1/plan").status == 200
        assert stack.keys.client()("GET", "/v1/plan", headers={"X-API-Key": presented}).status == 200
        assert stack.holder(None)("GET", f"/v1/tokens?x={presented}").status == 400, "never in the query"
    assert stack.holder("Acme" + token)("GET", "/v1/tokens").status == 401
    found = json.loads(stack.cli("key", "identify", "-o", "json", stdin=key).stdout)
    assert found["key"]["keyId"] == row["keyId"] and found["issue"] == "the current one"
    jwks = stack.data_dir.parent / "jwks.json"
    jwks.write_bytes(stack.keys.client()("GET", "/.well-known/jwks.json").body)
    assert stack.cli("key", "verify-offline", "--jwks", str(jwks), "--quiet", stdin=key).stdout.strip() == row["keyId"]
    forged = key[:-8] + ("AAAAAAAA" if not key.endswith("AAAAAAAA") else "BBBBBBBB")
    assert stack.cli("key", "verify-offline", "--jwks", str(jwks), stdin=forged, check=False).returncode == 1
    assert stack.cli("key", "identify", "--disable", "--yes", stdin=forged, check=False).returncode == 1
    assert stack.admin()("GET", f"/v1/keys/{row['keyId']}").json()["status"] == "active", "a forger disables nobody"
    stack.cli("key", "identify", "--disable", "--yes", "--wait", stdin=token)
    assert stack.holder(key)("GET", "/v1/tokens").problem == "key-disabled"

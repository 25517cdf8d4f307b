"""Access Key Management: every row of the route table, and every refusal."""

import json
import threading
import time

import pytest

from jws import b64, new_key, private_key, sign
from latchkey import Client, bearer, connect, eventually, raw
from routes import make_named, routes_that_need

KEY_MEMBERS = {"keyId", "userId", "role", "name", "metadata", "requestsPerMinute", "issuedAt", "previousValidUntil",
               "expiresAt", "status", "createdAt", "updatedAt", "updatedBy", "position", "plan", "limits", "scopes",
               "networks", "labels", "effective"}


@pytest.fixture(scope="module")
def admin(shared):
    return shared.admin()


def test_create(shared, admin):
    reply = admin("POST", "/v1/keys", {"userId": "alice", "requestsPerMinute": 60, "expiresAt": "2099-01-01T00:00:00+01:00",
                                       "name": "web", "metadata": {"team": "a"}})
    assert reply.status == 201 and reply.headers["Content-Type"] == "application/json"
    key = reply.json()["key"]
    assert set(key) == KEY_MEMBERS and set(reply.json()) == {"accessKey", "key"}
    assert key["userId"] == "alice" and key["role"] == "user" and key["name"] == "web" and key["metadata"] == {"team": "a"}
    assert key["requestsPerMinute"] == 60 and key["expiresAt"] == "2098-12-31T23:00:00.000Z" and key["status"] == "active"
    assert key["position"] == reply.headers["Latchkey-Position"]
    shown = admin("GET", f"/v1/keys/{key['keyId']}")
    assert shown.status == 200 and shown.json() == {**key, "lastUsedAt": None, "lastAddress": None} and shown.headers["ETag"]


@pytest.mark.parametrize("body,pointer", [
    ({"requestsPerMinute": 1}, "/userId"), ({"userId": "a"}, "/requestsPerMinute"),
    ({"userId": "", "requestsPerMinute": 1}, "/userId"), ({"userId": "a\u202eb", "requestsPerMinute": 1}, "/userId"),
    ({"userId": "a" * 129, "requestsPerMinute": 1}, "/userId"), ({"userId": 5, "requestsPerMinute": 1}, "/userId"),
    ({"userId": "a\r\nX: y", "requestsPerMinute": 1}, "/userId"),
    ({"userId": "a", "requestsPerMinute": 0}, "/requestsPerMinute"), ({"userId": "a", "requestsPerMinute": -1}, "/requestsPerMinute"),
    ({"userId": "a", "requestsPerMinute": 1_000_001}, "/requestsPerMinute"), ({"userId": "a", "requestsPerMinute": 1.5}, "/requestsPerMinute"),
    ({"userId": "a", "requestsPerMinute": "60"}, "/requestsPerMinute"), ({"userId": "a", "requestsPerMinute": None}, "/requestsPerMinute"),
    ({"userId": "a", "requestsPerMinute": True}, "/requestsPerMinute"), ({"userId": "a", "requestsPerMinute": 2**70}, "/requestsPerMinute"),
    ({"userId": "a", "requestsPerMinute": 1, "expiresAt": "2001-01-01T00:00:00Z"}, "/expiresAt"),
    ({"userId": "a", "requestsPerMinute": 1, "expiresAt": "tomorrow"}, "/expiresAt"),
    ({"userId": "a", "requestsPerMinute": 1, "expiresIn": "30"}, "/expiresIn"),
    ({"userId": "a", "requestsPerMinute": 1, "expiresIn": "-5m"}, "/expiresIn"),
    ({"userId": "a", "requestsPerMinute": 1, "admin": True}, "/admin"),
    ({"userId": "a", "requestsPerMinute": 1, "metadata": []}, "/metadata"),
    ({"userId": "a", "requestsPerMinute": 1, "metadata": {"x": "y" * 5000}}, "/metadata"),
    ({"userId": "a", "requestsPerMinute": 1, "name": "x" * 129}, "/name"),
])
def test_create_refuses_what_breaks_a_rule(admin, body, pointer):
    reply = admin("POST", "/v1/keys", body)
    assert reply.status == 400 and reply.problem, reply.body
    assert pointer in [e["pointer"] for e in reply.json()["errors"]], reply.body


def test_all_errors_are_told_at_once(admin):
    reply = admin("POST", "/v1/keys", {"userId": "", "requestsPerMinute": 0, "bogus": 1})
    assert {e["pointer"] for e in reply.json()["errors"]} == {"/userId", "/requestsPerMinute", "/bogus"}


def test_both_expiries_are_refused(admin):
    reply = admin("POST", "/v1/keys", {"userId": "a", "requestsPerMinute": 1, "expiresIn": "1h", "expiresAt": "2099-01-01T00:00:00Z"})
    assert reply.status == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b'{"userId":"a","userId":"b","requestsPerMinute":1}',
                                  b'{"userId":"\xff","requestsPerMinute":1}', b'{"a":' * 200, b"\0", b"{}{}", b"[" * 60000])
def test_bodies_that_are_not_an_object_are_refused(admin, body):
    reply = admin("POST", "/v1/keys", body, headers={"Content-Type": "application/json"})
    assert reply.status == 400 and reply.problem


def test_other_media_types_are_refused(admin):
    reply = admin("POST", "/v1/keys", b"userId=a", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status == 415 and reply.problem


def test_list_filters_and_pages(shared, admin):
    made = [shared.create(user="lister", name=f"n{i}", requests_per_minute=i + 1)[1]["keyId"] for i in range(7)]
    admin("PATCH", f"/v1/keys/{made[0]}", {"disabled": True})
    seen, cursor = [], None
    while True:
        page = admin("GET", "/v1/keys?userId=lister&limit=3" + (f"&cursor={cursor}" if cursor else "")).json()
        assert set(page) == {"keys", "nextCursor"} and len(page["keys"]) <= 3
        seen += [k["keyId"] for k in page["keys"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(made) and len(seen) == 7
    disabled = admin("GET", "/v1/keys?userId=lister&status=disabled").json()["keys"]
    assert [k["keyId"] for k in disabled] == [made[0]]
    assert [k["keyId"] for k in admin("GET", "/v1/keys?userId=lister&name=n3").json()["keys"]] == [made[3]]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=100000", "status=gone", "cursor=%%%", "cursor=zzz", "bogus=1"])
def test_list_refuses_bad_parameters(admin, query):
    reply = admin("GET", f"/v1/keys?{query}")
    assert reply.status == 400 and reply.problem


def test_update_and_optimistic_concurrency(shared, admin):
    _, key = shared.create()
    path = f"/v1/keys/{key['keyId']}"
    etag = admin("GET", path).headers["ETag"]
    updated = admin("PATCH", path, {"requestsPerMinute": 7, "name": "renamed"}, headers={"If-Match": etag})
    assert updated.status == 200 and updated.json()["requestsPerMinute"] == 7 and updated.json()["name"] == "renamed"
    assert updated.headers["Latchkey-Position"] == updated.json()["position"]
    stale = admin("PATCH", path, {"requestsPerMinute": 8}, headers={"If-Match": etag})
    assert stale.status == 412 and stale.problem
    assert admin("GET", path).json()["requestsPerMinute"] == 7
    assert admin("PATCH", path, {"expiresAt": "2099-01-01T00:00:00Z"}).json()["expiresAt"].startswith("2099")
    assert admin("PATCH", path, {"expiresAt": None}).json()["expiresAt"] is None
    for body in ({"requestsPerMinute": 0}, {"userId": "x"}, {"disabled": 1}, {"expiresAt": "2000-01-01T00:00:00Z"}, {"bogus": 1}):
        assert admin("PATCH", path, body).status == 400, body


def test_concurrent_updates_with_one_etag_let_one_pass(shared):
    _, key = shared.create()
    path = f"/v1/keys/{key['keyId']}"
    etag = shared.admin()("GET", path).headers["ETag"]
    token, statuses = shared.admin_token(), []

    def update(limit):
        statuses.append(shared.keys.client(token)("PATCH", path, {"requestsPerMinute": limit}, headers={"If-Match": etag}).status)

    threads = [threading.Thread(target=update, args=(i + 1,)) for i in range(16)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(statuses) == [200] + [412] * 15


def test_delete(shared, admin):
    _, key = shared.create()
    path = f"/v1/keys/{key['keyId']}"
    gone = admin("DELETE", path)
    assert gone.status == 204 and gone.body == b"" and gone.headers["Latchkey-Position"]
    assert admin("GET", path).json()["status"] == "deleted"
    assert key["keyId"] in [k["keyId"] for k in admin("GET", "/v1/keys?status=deleted&limit=500").json()["keys"]]
    assert admin("PATCH", path, {"disabled": False}).status == 409
    assert admin("POST", path + "/rotate", {}).status == 409


@pytest.mark.parametrize("key_id", ["01900000-0000-7000-8000-000000000000", "x", "..", "%00", "a" * 300])
def test_unknown_keys_are_404(admin, key_id):
    for method, suffix, body in (("GET", "", None), ("PATCH", "", {"disabled": True}), ("DELETE", "", None), ("POST", "/rotate", {})):
        reply = admin(method, f"/v1/keys/{key_id}{suffix}", body)
        assert reply.status == 404 and reply.problem, (method, key_id, reply.status)


def test_idempotency(shared, admin):
    body = {"userId": "idem", "requestsPerMinute": 5}
    first = admin("POST", "/v1/keys", body, headers={"Idempotency-Key": "k-1"})
    again = admin("POST", "/v1/keys", body, headers={"Idempotency-Key": "k-1"})
    assert first.status == again.status == 201 and first.json() == again.json()
    other = admin("POST", "/v1/keys", {**body, "requestsPerMinute": 6}, headers={"Idempotency-Key": "k-1"})
    assert other.status in (409, 422) and other.problem
    assert len(admin("GET", "/v1/keys?userId=idem").json()["keys"]) == 1
    path = f"/v1/keys/{first.json()['key']['keyId']}/rotate"
    a, b = (admin("POST", path, {}, headers={"Idempotency-Key": "r-1"}).json() for _ in range(2))
    assert a == b
    assert shared.admin("--subject", "other")("POST", "/v1/keys", body, headers={"Idempotency-Key": "k-1"}).json() != first.json()


def test_concurrent_idempotent_creates_make_one_key(shared):
    token, bodies = shared.admin_token(), []

    def create():
        reply = shared.keys.client(token)("POST", "/v1/keys", {"userId": "burst", "requestsPerMinute": 5}, headers={"Idempotency-Key": "burst"})
        bodies.append((reply.status, reply.body))

    threads = [threading.Thread(target=create) for _ in range(16)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len(set(bodies)) == 1 and bodies[0][0] == 201
    assert len(shared.admin()("GET", "/v1/keys?userId=burst").json()["keys"]) == 1


def forged_admin(stack, **change):
    """A token by the development key with claims changed (None removes one)."""
    key = private_key(stack.data_dir / "secrets" / "admin.pem")
    claims = {"iss": "latchkey-dev", "aud": "latchkey-admin", "sub": "ops", "role": "admin", "iat": int(time.time()),
              "exp": int(time.time()) + 600, **change.pop("claims", {})}
    header = {"alg": "EdDSA", "typ": "JWT", **change}
    return sign(key, {k: v for k, v in header.items() if v is not None}, {k: v for k, v in claims.items() if v is not None})


def test_the_forge_makes_good_tokens_too(shared):
    assert shared.keys.client(forged_admin(shared))("GET", "/v1/keys").status == 200


def test_admin_routes_refuse(shared):
    make_named(shared)
    for method, path, body in routes_that_need("adminToken", shared):
        check_that_it_refuses(shared, method, path, body)


def check_that_it_refuses(shared, method, path, body):
    access_key, key = shared.create()
    path = path.format(key["keyId"])

    def ask(headers):
        return shared.keys.client()(method, path, body, headers=headers)

    nobody = ask({})
    assert nobody.status == 401 and nobody.headers["WWW-Authenticate"].startswith("Bearer") and "error" not in nobody.headers["WWW-Authenticate"]
    for wrong_kind in (bearer(access_key), {"X-API-Key": access_key}):
        reply = ask(wrong_kind)
        assert reply.status == 403 and "insufficient_scope" in reply.headers["WWW-Authenticate"], wrong_kind
    header, claims, _ = forged_admin(shared).split(".")
    bad = {
        "garbage": "x.y.z", "expired": forged_admin(shared, claims={"exp": int(time.time()) - 1}),
        "no exp": forged_admin(shared, claims={"exp": None}), "exp as text": forged_admin(shared, claims={"exp": "9999999999"}),
        "wrong audience": forged_admin(shared, claims={"aud": "other"}), "no audience": forged_admin(shared, claims={"aud": None}),
        "wrong issuer": forged_admin(shared, claims={"iss": "evil"}), "alg none": f"{b64(json.dumps({'alg': 'none', 'typ': 'JWT'}))}.{claims}.",
        "alg HS256": forged_admin(shared, alg="HS256"), "no signature": f"{header}.{claims}.",
        "another key": sign(new_key(), {"alg": "EdDSA", "typ": "JWT"}, {"iss": "latchkey-dev", "aud": "latchkey-admin",
                                                                       "sub": "ops", "role": "admin", "exp": int(time.time()) + 600}),
        "crit": forged_admin(shared, crit=["x"]), "jwk": forged_admin(shared, jwk={}),
        "not yet": forged_admin(shared, claims={"nbf": int(time.time()) + 3600}),
    }
    for name, token in bad.items():
        reply = ask(bearer(token))
        assert reply.status == 401 and 'error="invalid_token"' in reply.headers["WWW-Authenticate"], (name, reply.status)
    for role in ("user", "root", None):
        assert ask(bearer(forged_admin(shared, claims={"role": role}))).status in (401, 403), role
    viewer = ask(bearer(shared.admin_token("--role", "viewer")))
    if method == "GET":
        assert viewer.status == (404 if path.startswith("/v1/requests/") else 200)  # of a request that was none
    else:
        assert viewer.status == 403 and "insufficient_scope" in viewer.headers["WWW-Authenticate"]
    same = shared.admin()("GET", f"/v1/keys/{key['keyId']}").json()  # and when it was used last
    assert all(same[name] == value for name, value in key.items()), "a refused request changed something"


def test_changes_are_the_audit_trail(shared, admin):
    _, key = shared.create(user="audited")
    admin("PATCH", f"/v1/keys/{key['keyId']}", {"disabled": True})
    shared.admin("--subject", "eve")("PATCH", f"/v1/keys/{key['keyId']}", {"disabled": False})
    admin("DELETE", f"/v1/keys/{key['keyId']}")
    changes = [c for c in admin("GET", "/v1/changes?limit=1000").json()["changes"] if c.get("key", {}).get("keyId") == key["keyId"]]
    assert [c["action"] for c in changes] == ["create", "disable", "enable", "delete"]
    assert changes[2]["actor"] == "eve" and changes[0]["position"] == key["position"]
    after = admin("GET", f"/v1/changes?after={changes[1]['position']}").json()["changes"]
    assert [c["action"] for c in after if c.get("key", {}).get("keyId") == key["keyId"]] == ["enable", "delete"]
    assert admin("GET", f"/v1/changes?after={'0' * 16}.1").status in (400, 409, 410)


def test_changes_stream(shared, admin):
    position = admin("GET", "/v1/changes?limit=1000").json()["changes"][-1]["position"]
    with connect(shared.keys.url) as sock:
        sock.sendall(f"GET /v1/changes?after={position} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
                     f"Authorization: Bearer {shared.admin_token()}\r\n\r\n".encode())
        _, key = shared.create(user="streamed")
        received = b""

        def arrived():
            nonlocal received
            received += sock.recv(65536)
            return key["keyId"].encode() in received
        eventually(arrived)
    assert b"text/event-stream" in received and f"id: {key['position']}".encode() in received


def test_public_routes(shared):
    client = shared.keys.client()
    jwks = client("GET", "/.well-known/jwks.json")
    assert jwks.status == 200 and jwks.json()["keys"][0]["crv"] == "Ed25519"
    for path, kind in (("/openapi.json", "application/json"), ("/docs", "text/html"), ("/healthz", ""), ("/readyz", ""),
                       ("/metrics", "text/plain")):
        reply = client("GET", path)
        assert reply.status == 200 and reply.headers["Content-Type"].startswith(kind), path
    page = client("GET", "/docs").body.decode()
    assert "//cdn" not in page and 'src="http' not in page and "@import" not in page


def test_head_and_methods(shared):
    client = shared.keys.client()
    head, get = client("HEAD", "/openapi.json"), client("GET", "/openapi.json")
    assert head.status == 200 and head.body == b"" and head.headers["Content-Length"] == str(len(get.body))
    wrong = client("PUT", "/v1/keys")
    assert wrong.status == 405 and {"GET", "POST"} <= set(wrong.headers["Allow"].replace(" ", "").split(",")) and wrong.problem
    assert client("GET", "/nowhere").status == 404 and client("GET", "/nowhere").problem == "not-found"


def openapi_paths(service):
    return service.client()("GET", "/openapi.json").json()


@pytest.mark.parametrize("name", ["keys", "tokens"])
def test_openapi_is_3_1_and_its_routes_exist(shared, name):
    service = getattr(shared, name)
    document = openapi_paths(service)
    assert document["openapi"].startswith("3.1")
    for path, item in document["paths"].items():
        for method in item:
            if method in ("get", "post", "patch", "delete", "put"):
                reply = service.client()(method.upper(), path.replace("{keyId}", "x").replace("{symbol}", "BTC"))
                assert reply.status not in (405, 500), (method, path)
                assert str(reply.status) in item[method]["responses"] or "default" in item[method]["responses"], (method, path, reply.status)


def test_configured_admin_keys_replace_the_development_key(tmp_path, make_stack):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    secret = tmp_path / "secret"
    secret.write_bytes(b"s" * 32)
    pem = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    own = new_key()
    (tmp_path / "admin.pem").write_bytes(b"".join(k.public_key().public_bytes(*pem) for k in (
        own, ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048))))
    stack = make_stack(LATCHKEY_ADMIN_KEYS=str(tmp_path / "admin.pem"), LATCHKEY_ADMIN_AUDIENCE="ours")
    stack.keys.start()
    claims = {"sub": "boss", "role": "admin", "aud": ["x", "ours"], "exp": int(time.time()) + 60}
    good = sign(own, {"alg": "EdDSA", "typ": "JWT"}, claims)
    assert stack.keys.client(good)("GET", "/v1/keys").status == 200
    assert stack.keys.client(sign(own, {"alg": "EdDSA"}, {**claims, "aud": "theirs"}))("GET", "/v1/keys").status == 401
    assert stack.keys.stop() == 0


def test_slow_commands_do_not_starve_reads_of_health(shared):
    assert raw(shared.keys.url, b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.")
    assert Client(shared.keys.url)("GET", "/healthz").status == 200


def test_numbers_in_metadata_stay_as_they_were_given_on_the_command_line(shared):
    metadata = '{"price":1.10,"big":123456789012345678901234567890,"one":1.0,"list":[0.10,{"e":1E2}]}'
    key_id = json.loads(shared.cli("key", "create", "--user", "exact", "--requests-per-minute", "1", "--metadata", metadata,
                                   "-o", "json").stdout)["key"]["keyId"]
    assert f'"metadata":{metadata},' in shared.admin()("GET", f"/v1/keys/{key_id}").body.decode()

"""The descriptions are true: every route gives every status that is described for it, and nothing else anywhere (conformance.py)."""

import json
import signal
import urllib.parse

import pytest

import conformance
from latchkey import bearer, connect, eventually
from routes import PUT_BODIES, make_named, routes_that_need

UNKNOWN = "01900000-0000-7000-8000-000000000000"
# Not to be brought about from outside: an error of ours, and a queue of 4,096 requests (server and service tests do both).
NOT_FROM_OUTSIDE = {500}


def expect(client, status, *args, **more):
    reply = client(*args, **more)
    assert reply.status == status, (args, reply.status, reply.body)
    return reply


def commands(stack):
    """The good answers, and those that a command's own rules give."""
    admin = stack.admin()
    created = expect(admin, 201, "POST", "/v1/keys", {"userId": "alice", "requestsPerMinute": 5, "expiresIn": "30d", "metadata": {"a": 1}},
                     headers={"Idempotency-Key": "one"}).json()
    expect(admin, 422, "POST", "/v1/keys", {"userId": "bob", "requestsPerMinute": 5}, headers={"Idempotency-Key": "one"})
    path = f"/v1/keys/{created['key']['keyId']}"
    etag = expect(admin, 200, "GET", path).headers["ETag"]
    expect(admin, 304, "GET", path, headers={"If-None-Match": etag})
    expect(admin, 200, "GET", "/v1/keys")
    expect(admin, 400, "POST", "/v1/keys", {"userId": "", "bogus": 1})
    expect(admin, 200, "PATCH", path, {"requestsPerMinute": 6, "expiresAt": None, "name": "n"}, headers={"If-Match": etag})
    expect(admin, 200, "PATCH", path, '{"metadata":null}', headers={"Content-Type": "application/merge-patch+json"})
    expect(admin, 400, "PATCH", path, {"requestsPerMinute": 0})
    rotated = expect(admin, 200, "POST", path + "/rotate", {"gracePeriod": "10m"}, headers={"Idempotency-Key": "two"}).json()
    expect(admin, 422, "POST", path + "/rotate", {"gracePeriod": "9m"}, headers={"Idempotency-Key": "two"})
    expect(admin, 400, "POST", path + "/rotate", {"gracePeriod": "soon"})
    expect(admin, 400, "POST", path + "/end-grace", {"x": 1})
    expect(admin, 200, "POST", path + "/end-grace")
    many_keys(admin)
    for method, route, body in (("PATCH", path, {"name": "m"}), ("POST", path + "/rotate", {}), ("DELETE", path, None),
                                ("POST", path + "/end-grace", {})):
        expect(admin, 412, method, route, body, headers={"If-Match": etag})
    for method, route, body in (("POST", "/v1/keys", "x"), ("PATCH", path, "x"), ("POST", path + "/rotate", "x"),
                                ("POST", "/v1/signing-keys/rotate", "x"), ("POST", path + "/end-grace", "x")):
        expect(admin, 415, method, route, body, headers={"Content-Type": "text/plain"})
    for method, suffix, body in (("GET", "", None), ("PATCH", "", {"name": "x"}), ("DELETE", "", None), ("POST", "/rotate", {}),
                                 ("POST", "/end-grace", {})):
        expect(admin, 404, method, f"/v1/keys/{UNKNOWN}{suffix}", body)
    holder = stack.keys.client(rotated["accessKey"])
    expect(holder, 200, "GET", "/v1/plan")
    expect(holder, 200, "POST", "/v1/plan/disable")
    expect(admin, 200, "PATCH", path, {"disabled": False})
    expect(admin, 204, "DELETE", path)
    expect(admin, 409, "PATCH", path, {"name": "x"})
    expect(admin, 409, "POST", path + "/rotate", {})
    expect(admin, 409, "POST", path + "/end-grace", {})
    expect(admin, 200, "GET", "/v1/notices")
    expect(admin, 400, "GET", "/v1/notices?after=x")
    expect(admin, 200, "GET", "/v1/changes")
    expect(admin, 410, "GET", f"/v1/changes?after={'0' * 16}.1")
    expect(admin, 200, "GET", "/v1/signing-keys")
    expect(admin, 200, "POST", "/v1/signing-keys/rotate", {"retirePrevious": True})
    expect(admin, 409, "POST", "/v1/keys", {"userId": "alice", "requestsPerMinute": 5, "expiresIn": "30d", "metadata": {"a": 1}},
           headers={"Idempotency-Key": "one"})


MANY = [f"/v1/keys:{verb}" for verb in ("disable", "enable", "delete")]


def many_keys(admin):
    expect(admin, 400, "POST", PURGE, {})
    expect(admin, 415, "POST", PURGE, "x", headers={"Content-Type": "text/plain"})
    expect(admin, 200, "POST", PURGE, {"deletedBefore": "90d"})
    expect(admin, 200, "POST", PURGE, {"deletedBefore": "90d", "dryRun": True})
    for path in MANY:
        expect(admin, 400, "POST", path, {})
        expect(admin, 400, "POST", path + "?selector=a", {"selector": "a"})
        expect(admin, 415, "POST", path, "x", headers={"Content-Type": "text/plain"})
        expect(admin, 409, "POST", path, {"userId": "nobody", "confirm": "0" * 32})
        confirm = expect(admin, 200, "POST", path + "?dryRun=true", {"userId": "nobody"}).json()["confirm"]
        expect(admin, 200, "POST", path, {"userId": "nobody", "confirm": confirm})


PURGE = "/v1/keys:purge"


# Of each kind: the path of one, a body that is taken, and one that takes away the limit that a key lives by.
PLAN, USER, USER_BY_QUERY = NAMED = [
    ("/v1/plans/{}", PUT_BODIES["plans"], {"limits": []}),
    ("/v1/users/{}", {"plan": "basic"}, {"plan": None}),
    ("/v1/users?userId={}", {"plan": "basic"}, {"plan": None}),
]


def named_rows(stack):
    """Plans and users: good answers, and those that the rules of each command give."""
    admin = stack.admin()
    for i, (path, good, emptied) in enumerate(NAMED):
        one, missing, once = path.format(f"one-{i}"), path.format("missing"), {"Idempotency-Key": f"row-{i}"}
        etag = expect(admin, 201, "PUT", one, good, headers=once).headers["ETag"]
        expect(admin, 422, "PUT", one, {**good, "metadata": {"other": 1}}, headers=once)
        expect(admin, 428, "PUT", one, good)
        expect(admin, 200, "GET", one)
        expect(admin, 304, "GET", one, headers={"If-None-Match": etag})
        expect(admin, 404, "GET", missing)
        expect(admin, 200, "PUT", one, {**good, "metadata": {"n": 1}}, headers={"If-Match": etag})
        expect(admin, 200, "PATCH", one, {"metadata": None}, headers={"Idempotency-Key": f"patch-{i}"})
        expect(admin, 422, "PATCH", one, {"metadata": {}}, headers={"Idempotency-Key": f"patch-{i}"})
        expect(admin, 404, "PATCH", missing, {"metadata": None})
        expect(admin, 404, "DELETE", missing)
        for method, body in (("PUT", good), ("PATCH", {"metadata": None}), ("DELETE", None)):
            expect(admin, 412, method, one, body, headers={"If-Match": etag})
        for method in ("PUT", "PATCH"):
            expect(admin, 415, method, one, "x", headers={"Content-Type": "text/plain"})
            expect(admin, 400, method, one, {"bogus": 1})
        owner = {"plan": "one-0"} if path == PLAN[0] else {}
        key = expect(admin, 201, "POST", "/v1/keys", {"userId": f"one-{i}", **owner}).json()["key"]
        expect(admin, 409, "PUT", one, {} if path != PLAN[0] else emptied, headers={"If-Match": "*"})
        expect(admin, 409, "PATCH", one, emptied)
        expect(admin, 409, "DELETE", one)
        expect(admin, 204, "DELETE", f"/v1/keys/{key['keyId']}")
        expect(admin, 204, "DELETE", one, headers={"Idempotency-Key": f"delete-{i}"})
        expect(admin, 422, "DELETE", path.format("two"), headers={"Idempotency-Key": f"delete-{i}"})
    expect(admin, 200, "GET", "/v1/plans")
    expect(admin, 200, "GET", "/v1/users")
    erase = "/v1/users/one-2/erase"
    expect(admin, 400, "POST", erase, {"bogus": 1})
    expect(admin, 415, "POST", erase, "x", headers={"Content-Type": "text/plain"})
    expect(admin, 200, "POST", erase)
    expect(admin, 404, "POST", erase)


def refusals_of_keys(stack, access_key, key):
    nobody = stack.keys.client()
    path_of = lambda route: route.format(key["keyId"])  # noqa: E731
    for method, route, body in routes_that_need("adminToken", stack):
        expect(nobody, 401, method, path_of(route), body)
        expect(nobody, 403, method, path_of(route), body, headers=bearer(access_key))
        expect(nobody, 400, method, path_of(route), body, headers={**bearer(stack.admin_token()), "X-API-Key": access_key})
    for method, route, _ in routes_that_need("accessKey", stack):
        expect(nobody, 401, method, route)
        expect(nobody, 403, method, route, headers=bearer(stack.admin_token()))
        expect(nobody, 400, method, route, headers={**bearer(access_key), "X-API-Key": "another"})


def public_pages(client):
    for path in ("/.well-known/jwks.json", "/openapi.json", "/docs", "/healthz", "/readyz", "/metrics"):
        reply = client("GET", path)
        assert reply.status in (200, 404), path
        expect(client, reply.status, "HEAD", path)


def laggards(stack):
    """What waits for a replica that has come to a halt."""
    admin = stack.admin()
    access_key, key = stack.create(user="erin")
    path, wait = f"/v1/keys/{key['keyId']}", "?wait=enforced&timeout=1s"
    expect(admin, 200, "GET", "/v1/replicas")
    expect(admin, 200, "PATCH", path + "?wait=enforced&timeout=1m", {"name": "x"})
    stack.tokens.signal(signal.SIGSTOP)
    try:
        expect(admin, 202, "POST", "/v1/keys" + wait, {"userId": "a", "requestsPerMinute": 1})
        expect(admin, 202, "PATCH", path + wait, {"name": "y"})
        expect(stack.keys.client(access_key), 202, "POST", "/v1/plan/disable" + wait)
        expect(admin, 202, "POST", path + "/rotate" + wait, {})
        expect(admin, 202, "POST", path + "/end-grace" + wait, {})
        for many in MANY:
            preview = expect(admin, 200, "POST", many + "?dryRun=true&userId=erin").json()
            expect(admin, 202, "POST", many + wait, {"userId": "erin", "confirm": preview["confirm"]})
        access_key, key = stack.create(user="erin")
        path = f"/v1/keys/{key['keyId']}"
        expect(admin, 202, "DELETE", path + wait)
        expect(admin, 202, "POST", "/v1/signing-keys/rotate" + wait, {})
        expect(admin, 202, "POST", PURGE + wait, {"deletedBefore": "90d"})
        for i, (row, good, _) in enumerate(NAMED):
            row = row.format(f"late-{i}")
            row += ("&" if "?" in row else "?") + wait[1:]
            expect(admin, 202, "PUT", row, good)
            expect(admin, 202, "PATCH", row, {"metadata": {"n": 2}})
            expect(admin, 202, "DELETE", row)
        expect(admin, 202, "POST", "/v1/users/late-1/erase" + wait)
    finally:
        stack.tokens.signal(signal.SIGCONT)


def a_replica_that_ended(stack):
    admin = stack.admin()
    listed = admin("GET", "/v1/replicas").json()["replicas"]
    path = f"/v1/replicas/{next(r['replicaId'] for r in listed if r['state'] != 'stopped')}"
    expect(admin, 409, "DELETE", path)
    expect(admin, 400, "DELETE", path + "?x=1")
    stack.tokens.stop()
    eventually(lambda: admin("DELETE", path).status == 204)
    expect(admin, 404, "DELETE", path)


def a_refused_request(stack):
    expect(stack.admin(), 404, "GET", f"/v1/requests/{'0' * 32}")
    request_id = expect(stack.tokens.client(), 401, "GET", "/v1/tokens").headers["Latchkey-Request-Id"]
    eventually(lambda: stack.admin()("GET", f"/v1/requests/{request_id}").status == 200)


def hide_usage(data_dir):
    """Of an embedded store it is a file of its own."""
    if (data_dir / "usage.db").exists():
        (data_dir / "usage.db").unlink()
        (data_dir / "usage.db").mkdir()


def store_away(stack, access_key, key):
    """What needs the store says 503 while it is not there."""
    admin = stack.admin()
    stack.store.hide()
    hide_usage(stack.data_dir)
    create = {"userId": "a", "requestsPerMinute": 1}
    for method, route, _ in routes_that_need("adminToken", stack):
        put = PUT_BODIES["plans" if "plans" in route else "users"]
        query = "?userId=basic" if route == "/v1/users" else ""
        expect(admin, 503, method, route.format(key["keyId"]) + query, create if route == "/v1/keys" and method == "POST" else
               {"metadata": {}} if method == "PATCH" else {"userId": "a", "dryRun": True} if route in MANY else {"deletedBefore": "90d"} if route == PURGE else {} if method == "POST" else put if method == "PUT" else None)
    for method, route, _ in routes_that_need("accessKey", stack):
        expect(stack.keys.client(access_key), 503, method, route)
    expect(stack.keys.client(), 200, "GET", "/.well-known/jwks.json")  # from memory
    eventually(lambda: stack.keys.client()("GET", "/readyz").status == 503)  # at the next look
    expect(stack.keys.client(), 503, "GET", "/readyz")
    expect(stack.keys.client(), 200, "GET", "/healthz")
    stack.store.show()


def test_every_status_of_every_route_of_the_first_service(make_stack):
    stack = make_stack(LATCHKEY_MAX_STALENESS="10m").start()  # so that none is fenced while it is waited for
    access_key, key = stack.create(user="carol")
    public_pages(stack.keys.client())
    make_named(stack)
    refusals_of_keys(stack, access_key, key)
    commands(stack)
    named_rows(stack)
    a_refused_request(stack)
    laggards(stack)
    a_replica_that_ended(stack)
    access_key, key = stack.create(user="dave")
    expect(stack.admin(), 200, "GET", "/v1/usage")
    expect(stack.keys.client(access_key), 200, "GET", "/v1/plan/usage")
    store_away(stack, access_key, key)
    description = conformance.descriptions["keys"]
    before_the_first_look = {("get", "/.well-known/jwks.json", 503)}
    assert {d for d in description.described() - description.seen - before_the_first_look if d[2] not in NOT_FROM_OUTSIDE} == set()


AUTHORIZE = [(method, path) for path in ("/v1/authorize", "/v1/rules/a/authorize")
             for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")]
COUNTED = [("GET", "/v1/tokens"), ("GET", "/v1/tokens/ETH"), *AUTHORIZE]


def test_every_status_of_every_route_of_the_second_service(make_stack, tmp_path):
    (tmp_path / "rules.toml").write_text('[[rule]]\nname = "a"\n')
    stack = make_stack(LATCHKEY_RULES=str(tmp_path / "rules.toml"), LATCHKEY_TRUSTED_PROXIES="127.0.0.1")
    stack.tokens.start(wait="listening")
    expect(stack.tokens.client(), 503, "GET", "/readyz")
    stack.keys.start()
    eventually(stack.tokens.ready)
    expect(stack.tokens.client(), 400, "GET", "/readyz?include=nothing")
    access_key, _ = stack.admitted_key(requests_per_minute=100)
    spent_key, _ = stack.admitted_key(requests_per_minute=1)
    nobody, holder, spent = stack.tokens.client(), stack.holder(access_key), stack.holder(spent_key)
    public_pages(nobody)
    expect(holder, 404, "GET", "/v1/tokens/NOPE")
    expect(spent, 200, "GET", "/v1/tokens")
    elsewhere = {"Latchkey-At-Least": "0" * 16 + ".1"}
    for method, path in [*COUNTED, ("GET", "/v1/plan")]:
        expect(holder, 200, method, path)
        expect(nobody, 401, method, path)
        expect(nobody, 403, method, path, headers=bearer(stack.admin_token()))
        expect(holder, 400, method, path, headers={"X-API-Key": "another"})
        expect(holder, 503, method, path, headers=elsewhere)
    for method, path in COUNTED:  # once a minute it passes
        eventually(lambda m=method, p=path: spent(m, p).status == 429)
    for method, path in AUTHORIZE:
        eventually(lambda m=method, p=path: spent(m, p + "?deny=403").status == 403)
    description = conformance.descriptions["tokens"]
    assert {d for d in description.described() - description.seen if d[2] not in NOT_FROM_OUTSIDE} == set()


def test_events_of_the_stream_are_as_described(stack):
    """A stream carries the same changes as a page."""
    with connect(stack.keys.url) as sock:
        sock.sendall(f"GET /v1/changes?after=0 HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
                     f"Authorization: Bearer {stack.admin_token()}\r\n\r\n".encode())
        stack.create(user="streamed")
        received = b""

        def arrived():
            nonlocal received
            received += sock.recv(65536)
            return b"streamed" in received and received.endswith(b"\n\r\n")
        eventually(arrived)
    stack.admin()("GET", "/v1/changes")
    events = [json.loads(line[5:]) for line in received.decode().splitlines() if line.startswith("data:")]
    assert events == stack.admin()("GET", "/v1/changes").json()["changes"]
    for event in events:
        conformance.descriptions["keys"].validate({"$ref": "#/components/schemas/Change"}, event, "an event")


@pytest.mark.parametrize("name", ["keys", "tokens"])
def test_the_page_and_the_documents_need_no_network(shared, name):
    """Whatever the description refers to stands in it."""
    document = getattr(shared, name).client()("GET", "/openapi.json").json()

    def references(node):
        if isinstance(node, dict):
            yield from ([node["$ref"]] if "$ref" in node else [])
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    for reference in references(document):
        assert reference.startswith("#/"), reference
        conformance.Description(document).resolver.resolve(reference)
    assert all(urllib.parse.urlsplit(server["url"]).hostname in (None, "127.0.0.1") for server in document["servers"])


def test_the_check_itself_sees_what_is_not_described(shared):
    """A conformance check that lets everything pass would be worth nothing."""
    client = shared.keys.client()
    good = client("GET", "/healthz")
    description = conformance.descriptions["keys"]
    for change in ({"status": 201}, {"body": b"7"}, {"body": b""}):
        broken = conformance_reply(good, **change)
        with pytest.raises((AssertionError, json.JSONDecodeError)):
            description.hold("GET", "/healthz", None, None, broken)
    good.headers["X-Secret"] = "1"
    with pytest.raises(AssertionError):
        description.hold("GET", "/healthz", None, None, good)


def conformance_reply(reply, **change):
    return type(reply)(**{"status": reply.status, "headers": reply.headers, "body": reply.body, **change})

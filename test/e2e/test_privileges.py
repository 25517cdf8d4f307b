"""Who may do what: every route that either service describes, asked by everybody. A route that is added is asked too."""

import json
import pathlib
import uuid

import pytest

from latchkey import bearer

HERE = pathlib.Path(__file__).resolve().parents[2] / "src"
METHODS = ("get", "post", "put", "patch", "delete", "options", "head")
PEOPLE = ("nobody", "holder", "holder of a disabled key", "viewer", "admin and holder", "admin")  # who may comes last


def described(service):
    """(method, path, who) of its openapi.json; `who`: "anyone", "holder" or "admin"."""
    document = json.loads((HERE / f"{service}_service" / "openapi.json").read_text())
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                security = operations[method].get("security", document.get("security"))
                schemes = {scheme for one in security for scheme in one}
                yield method.upper(), path, {"adminToken": "admin", "accessKey": "holder"}[schemes.pop()] if schemes else "anyone"


def expected(path, who, method, caller):
    """The statuses that are right; what is allowed may still be refused for what it asks (400, 404, 409, 415)."""
    served = {200, 201, 204, 400, 404, 409, 412, 415, 422}
    if path.startswith("/v1/rules/"):
        return {403}  # no rule has that name, whoever asks
    if who == "anyone":
        return {200}
    if caller == "nobody":
        return {401}
    if caller == "admin and holder":
        return {400}  # two different credentials
    if who == "holder":
        return {"holder": served, "holder of a disabled key": {401, 403}}.get(caller, {401, 403})
    if caller.startswith("holder"):
        return {403}
    return served if caller == "admin" or method in ("GET", "HEAD") else {403}


@pytest.fixture(scope="module")
def credentials(shared):
    token, _ = shared.admitted_key(requests_per_minute=100_000)
    disabled, key = shared.admitted_key()
    assert shared.admin()("PATCH", f"/v1/keys/{key['keyId']}?wait=enforced&timeout=1m", {"disabled": True}).status == 200
    admin = shared.admin_token()
    return {"nobody": {}, "holder": bearer(token), "holder of a disabled key": bearer(disabled),
            "viewer": bearer(shared.admin_token("--role", "viewer")), "admin": bearer(admin),
            "admin and holder": {**bearer(admin), "X-API-Key": token}}


ROUTES = [(service, *route) for service in ("keys", "tokens") for route in described(service)]


@pytest.mark.parametrize("service,method,path,who", ROUTES, ids=[f"{s} {m} {p}" for s, m, p, _ in ROUTES])
def test_every_route_by_everybody(shared, credentials, service, method, path, who):
    _, victim = shared.create(user="victim")
    path = path.format(keyId=victim["keyId"], replicaId=uuid.uuid4().hex, symbol="ETH", userId="nobody-of-that-name", name="none", id="0" * 32)
    for caller in PEOPLE:
        if who == "admin" and caller == "admin" and path.endswith("/rotate") and "signing" in path:
            continue  # it would be done, and other tests' keys are signed by that key
        if who == "holder" and caller == "holder" and path.endswith("/disable"):
            continue  # likewise, of the holder's own key
        ask = getattr(shared, service).client()
        body = {} if method in ("POST", "PUT", "PATCH") else None
        reply = ask(method, path, body, headers=credentials[caller])
        right = expected(path, who, method, caller)
        assert reply.status in right, (caller, reply.status, reply.body)
        if reply.status >= 400 and method != "HEAD":
            assert reply.problem
        if reply.status == 401:
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")
        ask.close()
        if caller != "admin":
            same = shared.admin()("GET", f"/v1/keys/{victim['keyId']}").json()
            assert all(same[name] == value for name, value in victim.items()), f"{caller} changed a key that is not theirs"

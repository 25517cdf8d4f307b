"""The list of bad access keys: each is refused with the right status and challenge, and charges nothing."""

import base64
import hashlib
import hmac
import json
import time

import pytest

from jws import b64, new_key, parts, private_key, sign
from latchkey import eventually, raw

L = (1 << 252) + 27742317777372353535851937790883648493  # the order of Ed25519's group (RFC 8032)


class Forge:
    def __init__(self, stack):
        self.good, self.key = stack.admitted_key(user="mallory", requests_per_minute=50)
        self.header, self.claims, self.signature = parts(self.good)
        pem = stack.data_dir / "secrets" / "signing" / f"{self.header['kid']}.pem"
        self.signing_key = private_key(pem)
        self.input = self.good.rsplit(".", 1)[0]

    def with_header(self, raw_header=None, drop=(), **change):
        header = {k: v for k, v in {**self.header, **change}.items() if k not in drop}
        return sign(self.signing_key, raw_header or header, self.claims)

    def with_claims(self, raw_claims=None, drop=(), **change):
        claims = {k: v for k, v in {**self.claims, **change}.items() if k not in drop}
        return sign(self.signing_key, self.header, raw_claims or claims)

    def with_signature(self, signature):
        return f"{self.input}.{b64(signature)}"


@pytest.fixture(scope="module")
def forge(shared):
    return Forge(shared)


def hs256(f, alg):
    public = f.signing_key.public_key().public_bytes_raw() if hasattr(f.signing_key.public_key(), "public_bytes_raw") \
        else f.signing_key.public_key().public_bytes(*_raw())
    signing_input = f"{b64(json.dumps({**f.header, 'alg': alg}))}.{f.input.split('.')[1]}"
    return f"{signing_input}.{b64(hmac.new(public, signing_input.encode(), hashlib.sha256).digest())}"


def _raw():
    from cryptography.hazmat.primitives import serialization
    return serialization.Encoding.Raw, serialization.PublicFormat.Raw


def claims_text(f, iat):
    return json.dumps({**f.claims, "iat": "@"}).replace('"@"', iat)


def high_s(f):
    """The same signature with S + L: equal modulo the order, and malleable where not refused."""
    s = int.from_bytes(f.signature[32:], "little") + L
    return f.with_signature(f.signature[:32] + s.to_bytes(32, "little"))


CASES = {
    # structure
    "no dot": lambda f: "abc", "one dot": lambda f: f.input, "two parts and a dot": lambda f: f.input + ".",
    "four segments": lambda f: f.good + ".x", "five segments": lambda f: f.good + ".x.y",
    "empty header": lambda f: "." + f.good.split(".", 1)[1], "empty claims": lambda f: "{0}..{2}".format(*f.good.split(".")),
    "padding": lambda f: f.good + "==", "standard alphabet": lambda f: f.input + "." + base64.b64encode(f.signature).decode(),
    "plus and slash": lambda f: f.input + "." + "+/" * 43,
    "spare bits": lambda f: f.good[:-1] + {"A": "B", "Q": "R", "g": "h", "w": "x"}[f.good[-1]],
    "thousand dots": lambda f: "." * 1000, "over the size cap": lambda f: f.good + "A" * 4096,
    "json form": lambda f: json.dumps({"payload": f.input.split(".")[1], "signatures": []}).replace(" ", ""),
    # header
    "header not an object": lambda f: f.with_header("[]"), "header not JSON": lambda f: f.with_header("{"),
    "duplicate members": lambda f: f.with_header(
        json.dumps(f.header)[:-1] + ', "alg":"EdDSA"}'),
    "deep nesting": lambda f: f.with_header('{"a":' * 100 + "1" + "}" * 100),
    "invalid UTF-8": lambda f: f.with_header(b'{"alg":"EdDSA","typ":"latchkey+jwt","kid":"\xff"}'),
    **{f"alg {alg!r}": lambda f, a=alg: f.with_header(alg=a)
       for alg in ("none", "None", "NONE", "eddsa", "EDDSA", None, ["EdDSA"], "HS256", "RS256", "ES256", "Ed25519", "", 1)},
    "alg missing": lambda f: f.with_header(drop=["alg"]),
    "alg none, no signature": lambda f: f"{b64(json.dumps({**f.header, 'alg': 'none'}))}.{f.input.split('.')[1]}.",
    **{f"kid {kid!r:.20}": lambda f, k=kid: f.with_header(kid=k)
       for kid in ("", "../../etc/passwd", "' OR 1=1 --", "x" * 2000, "unknown", None, 5)},
    "kid missing": lambda f: f.with_header(drop=["kid"]),
    **{f"{name} present": lambda f, n=name, v=value: f.with_header(**{n: v})
       for name, value in (("jwk", {}), ("jku", "http://x"), ("x5u", "http://x"), ("crit", ["exp"]), ("b64", False), ("zip", "DEF"))},
    # signature
    "bit flip": lambda f: f.with_signature(bytes([f.signature[0] ^ 1]) + f.signature[1:]),
    "bit flip in S": lambda f: f.with_signature(f.signature[:40] + bytes([f.signature[40] ^ 1]) + f.signature[41:]),
    "truncated": lambda f: f.with_signature(f.signature[:63]), "too long": lambda f: f.with_signature(f.signature + b"\0"),
    "all zero": lambda f: f.with_signature(bytes(64)), "DER": lambda f: f.with_signature(b"\x30\x44\x02\x20" + bytes(66)),
    "small order R": lambda f: f.with_signature(b"\x01" + bytes(63)), "non-canonical S": high_s,
    "another key under the right kid": lambda f: sign(new_key(), f.header, f.claims),
    "public key as HMAC secret": lambda f: hs256(f, "HS256"), "HMAC under EdDSA": lambda f: hs256(f, "EdDSA"),
    # claims
    **{f"iat {iat}": lambda f, i=iat: f.with_claims(claims_text(f, i))
       for iat in ('"1"', "null", "-1", "1e999", "9223372036854775808", "1.5", "true", "[]")},
    "iat missing": lambda f: f.with_claims(drop=["iat"]),
    "issuer in other case": lambda f: f.with_claims(iss="LatchKey"), "issuer missing": lambda f: f.with_claims(drop=["iss"]),
    "sub not a string": lambda f: f.with_claims(sub=7), "sub missing": lambda f: f.with_claims(drop=["sub"]),
    "jti not a string": lambda f: f.with_claims(jti=["x"]), "jti not a key id": lambda f: f.with_claims(jti="1"),
    "jti unknown": lambda f: f.with_claims(jti="01900000-0000-7000-8000-000000000000"),
    "role not a string": lambda f: f.with_claims(role=1), "claims not an object": lambda f: f.with_claims("7"),
    "claims duplicate": lambda f: f.with_claims(json.dumps(f.claims)[:-1] + ',"sub":"root"}'),
}


@pytest.mark.parametrize("name", CASES)
def test_refused_with_401_and_not_charged(shared, forge, name):
    token = CASES[name](forge)
    client = shared.tokens.client()
    reply = client("GET", "/v1/tokens", headers={"Authorization": f"Bearer {token}"})
    assert reply.status == 401, (name, reply.status, reply.body)
    assert reply.headers["WWW-Authenticate"].startswith("Bearer") and 'error="invalid_token"' in reply.headers["WWW-Authenticate"]
    assert reply.problem == "invalid-token"
    assert "RateLimit" not in reply.headers
    at_keys = shared.keys.client()("GET", "/v1/plan", headers={"Authorization": f"Bearer {token}"})
    assert at_keys.status == 401 and at_keys.problem == "invalid-token"
    assert client("GET", "/v1/plan", headers={"X-API-Key": forge.good}).json()["remaining"] == 50


WRONG_ISSUE = {
    "iat of the past": {"iat": 1}, "iat in the future": {"iat": 2**40}, "another user": {"sub": "alice"},
}


@pytest.mark.parametrize("name", WRONG_ISSUE)
def test_another_issue_or_user_is_refused(shared, forge, name):
    """Well signed, but not what the row says."""
    reply = shared.holder(forge.with_claims(**WRONG_ISSUE[name]))("GET", "/v1/tokens")
    assert reply.status == 401 and reply.problem in ("key-rotated", "invalid-token")


@pytest.mark.parametrize("typ", ["JWT", None, "LATCHKEY+JWT", "at+jwt"])
def test_another_kind_of_token_is_refused(shared, forge, typ):
    token = forge.with_header(typ=typ) if typ else forge.with_header(drop=["typ"])
    assert shared.holder(token)("GET", "/v1/tokens").status in (401, 403)


def test_escalated_role_is_refused(shared, forge):
    for role in ("admin", "viewer", "User", ""):
        reply = shared.holder(forge.with_claims(role=role))("GET", "/v1/tokens")
        assert reply.status in (401, 403), role


def test_admin_token_on_holder_routes(shared):
    token = shared.admin_token()
    for client, path in ((shared.tokens, "/v1/tokens"), (shared.tokens, "/v1/plan"), (shared.tokens, "/v1/authorize"),
                         (shared.keys, "/v1/plan")):
        reply = client.client(token)("GET", path)
        assert reply.status == 403 and "insufficient_scope" in reply.headers["WWW-Authenticate"], path


def test_no_credentials(shared):
    for path in ("/v1/tokens", "/v1/tokens/BTC", "/v1/plan", "/v1/authorize"):
        reply = shared.tokens.client()("GET", path)
        assert reply.status == 401 and reply.headers["WWW-Authenticate"].startswith("Bearer")
        assert "error=" not in reply.headers["WWW-Authenticate"] and reply.problem == "no-credentials"


def test_other_schemes_are_no_credentials(shared):
    assert shared.tokens.client()("GET", "/v1/tokens", headers={"Authorization": "Basic YTpi"}).status == 401


def test_two_different_keys_or_a_key_in_the_query_is_400(shared, forge):
    two = {"Authorization": f"Bearer {forge.good}", "X-API-Key": forge.good + "x"}
    assert shared.tokens.client()("GET", "/v1/tokens", headers=two).status == 400
    for name in ("api_key", "apikey", "access_key", "key", "token", "access_token"):
        assert shared.tokens.client()("GET", f"/v1/tokens?{name}={forge.good}").status == 400, name


def test_the_same_key_twice_is_one_and_a_foreign_scheme_is_none(shared, forge):
    for service, path in ((shared.tokens, "/v1/plan"), (shared.tokens, "/v1/authorize"), (shared.keys, "/v1/plan")):
        for authorization in (f"Bearer {forge.good}", "Basic YTpi", "", "Negotiate"):
            headers = {"Authorization": authorization, "X-API-Key": forge.good}
            assert service.client()("GET", path, headers=headers).status == 200, (path, authorization)


def test_two_authorization_headers_with_different_keys_are_400(shared, forge):
    lines = "".join(f"Authorization: Bearer {key}\r\n" for key in (forge.good, forge.good + "x"))
    answer = raw(shared.tokens.url, f"GET /v1/tokens HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400"), answer[:100]


def test_a_hundred_thousand_dots_do_no_harm(shared):
    answer = raw(shared.tokens.url, b"GET /v1/tokens HTTP/1.1\r\nHost: x\r\nX-API-Key: " + b"." * 100_000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 431"), answer[:100]


def test_both_ways_to_present_a_key(shared, forge):
    for headers in ({"X-API-Key": forge.good}, {"Authorization": f"bearer {forge.good}"}, {"x-api-key": forge.good}):
        assert shared.tokens.client()("GET", "/v1/plan", headers=headers).status == 200


def test_expiry_shortened_after_issue(shared):
    access_key, key = shared.admitted_key(expiresIn="30d")
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    assert shared.admin()("PATCH", f"/v1/keys/{key['keyId']}", {"expiresAt": at}).status == 200
    client = shared.holder(access_key)
    eventually(lambda: client("GET", "/v1/tokens").status == 401)
    assert client("GET", "/v1/tokens").problem == "key-expired"

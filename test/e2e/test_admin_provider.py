"""Admin tokens of an identity provider: discovery, keys by URL, rotation, outage."""

import threading
import time

import pytest

from latchkey import LONG, eventually
from provider import Key, Provider
from report import measured

pytestmark = pytest.mark.engines("sqlite", reason="about the management service's door, which is the same with every store")
UNAVAILABLE = "admin-keys-unavailable"


@pytest.fixture
def provider(tmp_path):
    it = Provider(tmp_path)
    yield it
    it.end()


@pytest.fixture
def service(provider, make_stack):
    return make_stack(**provider.settings).keys.start()


def ask(service, token):
    return service.client(token)("GET", "/v1/keys")


def admitted(service, token):
    """Once the first fetch is done."""
    eventually(lambda: ask(service, token).status == 200)


def test_discovery(provider, service):
    admitted(service, provider.token())
    assert ask(service, provider.token(aud="other")).status == 401
    assert ask(service, provider.token(iss=provider.issuer + "/")).status == 401
    assert ask(service, provider.token(role="nobody")).status == 403
    assert ask(service, Key("one").sign({"iss": provider.issuer})).status == 401, "another key of that id"
    assert service.client(provider.token(role="viewer"))("POST", "/v1/keys", {}).status == 403


def test_keys_by_url_and_roles_of_keycloak(provider, make_stack):
    provider.keys.append(Key("enc", use="enc", alg="RSA-OAEP"))
    settings = {name: value for name, value in provider.settings.items() if name != "LATCHKEY_ADMIN_OIDC_ISSUER"}
    service = make_stack(**settings, LATCHKEY_ADMIN_JWKS_URL=provider.jwks_url, LATCHKEY_ADMIN_ISSUER=provider.issuer,
                         LATCHKEY_ADMIN_ROLE_CLAIM="realm_access.roles",
                         LATCHKEY_ADMIN_ROLES="net-admins=admin,auditors=viewer").keys.start()
    admitted(service, provider.token(role=None, realm_access={"roles": ["auditors", "net-admins", "x"]}))
    assert {path for _, path in provider.requests} == {"/keys"}
    assert ask(service, provider.token(provider.keys[1], realm_access={"roles": ["net-admins"]})).status == 401
    assert ask(service, provider.token()).status == 403


@pytest.mark.parametrize("kind", ["RS256", "ES256"])
def test_a_rotation_is_seen_with_the_first_token_of_the_new_key(provider, service, kind):
    admitted(service, provider.token())
    provider.keys.append(Key("two", kind))
    began = time.monotonic()
    admitted(service, provider.token(provider.keys[1]))
    measured(f"an admin key that is new, until its first token counts ({kind})", time.monotonic() - began)
    old = provider.token()
    del provider.keys[0]

    def is_withdrawn():
        assert ask(service, provider.token(Key("three"))).status == 401  # which has the keys fetched again
        return ask(service, old).status == 401
    eventually(is_withdrawn, pause=1)


def test_unknown_kids_do_not_hurry_the_provider(provider, service):
    admitted(service, provider.token())
    begun, before = time.monotonic(), len(provider.requests)
    statuses = []
    threads = [threading.Thread(target=lambda n=n: statuses.append(ask(service, provider.token(Key(f"no-{n}", "ES256"))).status))
               for n in range(80)]
    for thread in threads:
        thread.start()
    assert ask(service, provider.token()).status == 200, "meanwhile others are served"
    for thread in threads:
        thread.join()
    assert set(statuses) == {401}
    fetches = (len(provider.requests) - before) / 2
    assert fetches <= 1 + (time.monotonic() - begun) / 5


def test_a_provider_that_is_down_changes_nothing_for_known_keys(provider, service):
    known = provider.token()
    admitted(service, known)
    provider.stop()
    assert ask(service, known).status == 200
    assert ask(service, provider.token(sub="bob")).status == 200
    assert ask(service, provider.token(Key("two"))).status == 401
    provider.start()
    assert ask(service, known).status == 200


def test_a_service_starts_before_its_provider(provider, make_stack):
    provider.stop()
    service = make_stack(**provider.settings).keys.start()
    eventually(lambda: "admin keys" in service.tail())
    reply = ask(service, provider.token())
    assert (reply.status, reply.problem) == (503, UNAVAILABLE) and reply.headers["Retry-After"]
    provider.start()
    admitted(service, provider.token())


def test_keys_are_believed_for_so_long_only(provider, make_stack):
    service = make_stack(**provider.settings, LATCHKEY_ADMIN_JWKS_MAX_AGE="2s").keys.start()
    token = provider.token()
    admitted(service, token)
    provider.stop()
    eventually(lambda: ask(service, token).status == 503)
    assert ask(service, token).problem == UNAVAILABLE
    provider.start()
    admitted(service, token)


@pytest.mark.parametrize("page, answer, said", [
    ("discovery", {"issuer": "https://other.example", "jwks_uri": "https://other.example/keys"}, "is of the issuer"),
    ("discovery", {"jwks_uri": "https://other.example/keys"}, "is of the issuer"),
    ("discovery", (302, {}, {"Location": "/keys"}), "status 302"),
    ("discovery", b"<html>", "no JSON object"),
    ("/keys", (302, {}, {"Location": "/other"}), "status 302"),
    ("/keys", (500, {}, {}), "status 500"),
    ("/keys", b" " * 1_100_000, "larger than"),
    ("/keys", {"keys": []}, "no key"),
    ("/keys", {"keys": [{"kty": "oct", "k": "AAAA"}]}, "no key"),
], ids=["another issuer", "no issuer", "redirect", "no JSON", "keys redirect", "keys fail", "too large", "none", "secrets only"])
def test_what_a_provider_may_not_say(provider, make_stack, page, answer, said):
    provider.document["/realms/a/.well-known/openid-configuration" if page == "discovery" else page] = answer
    service = make_stack(**provider.settings).keys.start()
    eventually(lambda: said in service.tail())
    assert ask(service, provider.token()).problem == UNAVAILABLE
    assert "/other" not in {path for _, path in provider.requests}, "no redirect is followed"
    provider.document.clear()
    admitted(service, provider.token())


def test_a_provider_whose_certificate_nobody_vouches_for_is_not_asked(provider, make_stack):
    settings = {name: value for name, value in provider.settings.items() if name != "SSL_CERT_FILE"}
    service = make_stack(**settings).keys.start()
    eventually(lambda: "admin keys" in service.tail())
    assert ask(service, provider.token()).status == 503 and not provider.requests


def test_a_provider_that_does_not_answer_holds_nobody_up(provider, make_stack):
    stopped = threading.Event()
    answer = provider.answer

    def silent(path):
        stopped.wait(60)
        return answer(path)
    provider.answer = silent
    service = make_stack(**provider.settings).keys.start()
    try:
        assert ask(service, provider.token()).status == 503
        eventually(lambda: "admin keys" in service.tail())  # after 5 s
    finally:
        stopped.set()
    admitted(service, provider.token())


@pytest.mark.parametrize("settings, said", [
    ({"LATCHKEY_ADMIN_AUDIENCE": ""}, "admin_audience"),
    ({"LATCHKEY_ADMIN_OIDC_ISSUER": "http://login.example"}, "https"),
    ({"LATCHKEY_ADMIN_OIDC_ISSUER": "https://ops:secret@login.example"}, "must not hold a user or a password"),
    ({"LATCHKEY_ADMIN_OIDC_ISSUER": "", "LATCHKEY_ADMIN_JWKS_URL": "https://login.example/keys"}, "admin_issuer"),
    ({"LATCHKEY_ADMIN_JWKS_URL": "https://login.example/keys"}, "exclude each other"),
    ({"LATCHKEY_ADMIN_KEYS": "/etc/hostname"}, "exclude each other"),
    ({"LATCHKEY_ADMIN_ISSUER": "https://other.example"}, "admin_issuer"),
], ids=["no audience", "no https", "password", "no issuer", "two urls", "url and file", "two issuers"])
def test_settings_that_do_not_fit_keep_it_from_starting(make_stack, settings, said):
    base = {"LATCHKEY_ADMIN_OIDC_ISSUER": "https://login.example", "LATCHKEY_ADMIN_AUDIENCE": "latchkey"}
    done = make_stack().cli("keys", "--check-config", check=False, env={**base, **settings})
    assert done.returncode == 2 and said in done.stderr, done.stderr
    assert "secret@" not in done.stderr


def test_the_command_line_mints_no_token_that_would_be_refused(make_stack):
    stack = make_stack()
    url = {"LATCHKEY_ADMIN_OIDC_ISSUER": "https://login.example", "LATCHKEY_ADMIN_AUDIENCE": "latchkey"}
    for words in (("admin-token",), ("key", "list")):
        done = stack.cli(*words, check=False, env=url)
        assert done.returncode != 0 and not done.stdout and "https://login.example" in done.stderr, done.stderr


@pytest.mark.skipif(not LONG, reason="takes an hour of the provider's absence as 90 s of it")
def test_a_long_absence(provider, service):
    token = provider.token()
    admitted(service, token)
    provider.stop()
    until = time.monotonic() + 90
    while time.monotonic() < until:
        assert ask(service, token).status == 200
        time.sleep(1)
    provider.start()

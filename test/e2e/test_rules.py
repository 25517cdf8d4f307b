"""Access rules, trusted proxies, preflights and CORS: what is asked of the request itself, over HTTP."""

import signal

import pytest

from latchkey import Client, bearer, eventually, raw

pytestmark = pytest.mark.engines("sqlite", reason="about the services' doors, which are the same with every store")

RULES = """
[[rule]]
name = "open"
match = "* /open/*"
public = true

[[rule]]
name = "admin"
match = "* /admin/*"
scope = "admin reports:read"

[[rule]]
name = "items"
match = "GET /items/*"

[[rule]]
match = "GET /v1/tokens/BTC"
public = true

[[rule]]
match = "GET /v1/tokens"
"""
IDENTITY = ["x-latchkey-user", "x-latchkey-user-encoded", "x-latchkey-key-id", "x-latchkey-plan", "x-latchkey-scopes"]


@pytest.fixture
def door(make_stack, tmp_path):
    def start(rules=RULES, **settings):
        (tmp_path / "rules.toml").write_text(rules)
        stack = make_stack(LATCHKEY_RULES=str(tmp_path / "rules.toml"), **settings).start()
        return stack, stack.create(scopes=["orders"])[0]
    return start


def admitted(stack, key):
    client = stack.holder(key)
    eventually(lambda: client("GET", "/v1/plan").status == 200)
    return client


def identity(reply):
    names = [name.lower() for name in reply.headers if name.lower() in IDENTITY]
    assert names == IDENTITY, "each exactly once"
    return [reply.headers[name] for name in IDENTITY]


def problem(reply, status=403):
    assert reply.status == status, reply
    return reply.problem


def test_rules_by_match(door):
    stack, key = door()
    client, nobody = admitted(stack, key), stack.holder(None)
    assert client("GET", "/v1/authorize/items/7").status == 200
    assert client("HEAD", "/v1/authorize/items/7").status == 200
    assert problem(nobody("GET", "/v1/authorize/items/7"), 401) == "no-credentials"
    assert problem(client("POST", "/v1/authorize/items/7")) == "no-rule"
    assert problem(client("GET", "/v1/authorize")) == "original-request-unknown"
    for odd in ("/items/../admin/x", "/items//7", "/items/%2e%2e/x", "/items%2f7", "/items/7;x", "/items/%25", "/./items/7"):
        assert problem(client("GET", "/v1/authorize" + odd)) == "ambiguous-path", odd
    refused = client("GET", "/v1/authorize/admin/x?scope=admin&cost=0&public=true")
    assert problem(refused) == "insufficient-scope"
    assert refused.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="admin reports:read"'
    assert problem(nobody("GET", "/v1/authorize/admin/x"), 401) == "no-credentials"
    for credential in ({}, bearer("nonsense"), {"X-API-Key": key + "x", **bearer(key)}):
        reply = stack.holder(None)("GET", "/v1/authorize/open/x", headers=credential)
        assert reply.status == 200 and identity(reply) == [""] * 5 and "RateLimit" not in reply.headers
    used = int(client("GET", "/v1/plan").json()["remaining"])
    assert client("GET", "/v1/authorize/open/x").status == 200 and client("GET", "/v1/authorize/admin/x").status == 403
    assert int(client("GET", "/v1/plan").json()["remaining"]) >= used, "nothing was taken"


def test_the_services_own_routes_are_matched_as_well(door):
    stack, key = door()
    client, nobody = admitted(stack, key), stack.holder(None)
    assert client("GET", "/v1/tokens").status == 200
    assert problem(nobody("GET", "/v1/tokens"), 401) == "no-credentials"
    assert nobody("GET", "/v1/tokens/BTC").json()["symbol"] == "BTC", "public"
    assert problem(client("GET", "/v1/tokens/ETH")) == "no-rule"
    assert problem(client("GET", "/v1/tokens/%42TC%2f")) == "ambiguous-path"
    assert client("GET", "/v1/plan").status == 200, "a holder's own affairs have no rules"


def test_no_rule_is_for_a_method_in_small_letters(door):
    """`delete` is DELETE for some servers, so it must not go by the default where DELETE has a rule of its own."""
    rules = '[[rule]]\nmatch = "DELETE /users/*"\nscope = "users:delete"\n[[rule]]\nmatch = "* /*"\n'
    stack, key = door(rules)
    client = admitted(stack, key)
    assert client("GET", "/v1/authorize/users/1").status == 200
    for method in ("delete", "Delete", "DELETe"):
        assert problem(client(method, "/v1/authorize/users/1")) == "no-rule", method


def test_no_rule_is_for_an_original_method_that_is_none(door):
    stack, key = door('[[rule]]\nmatch = "* /*"\n', LATCHKEY_ORIGINAL_REQUEST="x-original", LATCHKEY_TRUSTED_PROXIES="127.0.0.0/8")
    client = admitted(stack, key)
    for method in ("delete", "GET, DELETE", "DEL ETE", "A" * 33):
        asked = {"X-Original-URI": "/users/1", "X-Original-Method": method}
        assert problem(client("GET", "/v1/authorize", headers=asked)) == "no-rule", method


def test_rules_by_name(door):
    stack, key = door('[[rule]]\nname = "a"\n[[rule]]\nname = "b"\nscope = "x"\n[[rule]]\nname = "c"\npublic = true\n')
    client, nobody = admitted(stack, key), stack.holder(None)
    for path in ("/v1/rules/a/authorize", "/v1/rules/a/authorize/", "/v1/rules/a/authorize/b/../c"):
        for method in ("GET", "POST", "PATCH", "OPTIONS"):
            assert client(method, path).status == 200, (method, path)
    assert problem(client("GET", "/v1/rules/b/authorize/x")) == "insufficient-scope"
    assert nobody("GET", "/v1/rules/c/authorize").status == 200
    for name in ("d", "A", "a%62", "%61"):
        assert problem(client("GET", f"/v1/rules/{name}/authorize")) == "no-rule", name
    assert client("GET", "/v1/authorize/anything").status == 200, "no rule matches requests: a key is enough"
    body = raw(stack.replicas[0].url, f"POST /v1/rules/a/authorize HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
                                      "Content-Length: 1000000\r\n\r\n".encode())
    assert body.startswith(b"HTTP/1.1 200") and b"Connection: close" in body, "before the body has come"


def test_deny_403_names_the_problem(door):
    stack, key = door()
    client = admitted(stack, key)
    for path, name in (("/admin/x", "insufficient-scope"), ("/nowhere", "no-rule"), ("//", "ambiguous-path")):
        assert client("GET", f"/v1/authorize{path}?deny=403").headers["X-Latchkey-Problem"] == name
        assert "X-Latchkey-Problem" not in client("GET", "/v1/authorize" + path).headers
    assert stack.holder("a.b.c")("GET", "/v1/authorize/items/1?deny=403").headers["X-Latchkey-Problem"] == "invalid-token"


@pytest.mark.parametrize("source, uri, method", [("x-original", "X-Original-URI", "X-Original-Method"),
                                                 ("x-forwarded", "X-Forwarded-Uri", "X-Forwarded-Method")])
def test_headers_count_from_trusted_proxies_only(door, source, uri, method):
    stack, key = door(LATCHKEY_ORIGINAL_REQUEST=source, LATCHKEY_TRUSTED_PROXIES="127.0.0.0/8")
    client = admitted(stack, key)
    told = {uri: "/items/7?x=1", method: "GET"}
    assert client("POST", "/v1/authorize/open/x", headers=told).status == 200
    assert problem(client("GET", "/v1/authorize", headers={**told, uri: "/admin/x"})) == "insufficient-scope"
    assert problem(client("GET", "/v1/authorize/open/x", headers={uri: "/items/7"})) == "original-request-unknown"
    assert problem(client("GET", "/v1/authorize/open/x")) == "original-request-unknown"
    doubled = raw(stack.replicas[0].url, (f"GET /v1/authorize HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: {key}\r\n"
                                          f"{uri}: /items/7\r\n{uri.upper()}: /open/x\r\n{method}: GET\r\n\r\n").encode())
    assert b"original-request-unknown" in doubled


def test_nobody_is_trusted_unless_named(door):
    stack, key = door(LATCHKEY_ORIGINAL_REQUEST="x-original", LATCHKEY_TRUSTED_PROXIES="10.0.0.0/8, unix")
    client = admitted(stack, key)
    told = {"X-Original-URI": "/open/x", "X-Original-Method": "GET"}
    assert problem(client("GET", "/v1/authorize", headers=told)) == "original-request-unknown"
    assert client("GET", "/v1/rules/items/authorize", headers={"Latchkey-At-Least": "nonsense"}).status == 200, "its client's own wish"


def test_a_trusted_proxy_may_ask_for_a_position(door):
    stack, key = door("", LATCHKEY_TRUSTED_PROXIES="127.0.0.1")
    client = admitted(stack, key)
    assert client("GET", "/v1/authorize", headers={"Latchkey-At-Least": "nonsense"}).status == 400
    assert client("GET", "/v1/authorize", headers={"Latchkey-At-Least": "0" * 16 + ".1"}).status == 503


@pytest.mark.parametrize("rules", ["", RULES], ids=["no rules", "rules"])
def test_a_preflight_passes_where_that_is_wanted(door, rules):
    stack, _ = door(rules, LATCHKEY_PREFLIGHT="pass")
    nobody = stack.holder(None)
    asks = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    reply = nobody("OPTIONS", "/v1/authorize/items/7", headers=asks)
    assert reply.status == 200 and identity(reply) == [""] * 5
    for less in asks:
        assert nobody("OPTIONS", "/v1/authorize/items/7", headers={less: asks[less]}).status in (401, 403)
    assert nobody("GET", "/v1/authorize/items/7", headers=asks).status == 401


def test_rules_are_read_again_on_sighup(door, tmp_path):
    stack, key = door()
    client, service = admitted(stack, key), stack.replicas[0]
    (tmp_path / "rules.toml").write_text('[[rule]]\nmatch = "GET /new"\n')
    service.signal(signal.SIGHUP)
    eventually(lambda: client("GET", "/v1/authorize/new").status == 200)
    assert problem(client("GET", "/v1/authorize/items/7")) == "no-rule"
    for broken in ("[[rule]]\nmatch = 7\n", "[[rule", '[[rules]]\nmatch = "GET /x"\n', "", None):
        errors = service.metric("latchkey_rule_table_errors_total")
        if broken is None:
            (tmp_path / "rules.toml").unlink()
        else:
            (tmp_path / "rules.toml").write_text(broken)
        service.signal(signal.SIGHUP)
        eventually(lambda: service.metric("latchkey_rule_table_errors_total") == errors + 1)
        assert client("GET", "/v1/authorize/new").status == 200, "those of before stay in force"
    eventually(lambda: "the rules of before stay in force" in service.tail())


@pytest.mark.parametrize("settings, said", [
    ({"LATCHKEY_TRUSTED_PROXIES": "10.0.0.1/8"}, "10.0.0.0/8 is that network"), ({"LATCHKEY_TRUSTED_PROXIES": "proxy.example"}, "is not an address"),
    ({"LATCHKEY_ORIGINAL_REQUEST": "forwarded"}, "must be path, x-original or x-forwarded"), ({"LATCHKEY_PREFLIGHT": "yes"}, "must be refuse or pass"),
    ({"LATCHKEY_CLIENT_ADDRESS": ""}, "must be peer or x-forwarded-for"), ({"LATCHKEY_CORS_ORIGINS": "*"}, "named one by one"),
    ({"LATCHKEY_RULES": "/nowhere/rules.toml"}, "/nowhere/rules.toml")])
def test_settings_that_cannot_be_meant(make_stack, settings, said):
    done = make_stack().cli("tokens", "--check-config", check=False, env=settings)
    assert done.returncode == 2 and next(iter(settings)) in done.stderr and said in done.stderr, done.stderr


def test_rules_of_latchkey_toml(make_stack, tmp_path):
    toml = tmp_path / "latchkey.toml"
    stack = make_stack(LATCHKEY_CONFIG=str(toml))
    for text, said in (('[[rule]]\nname = "a"\ncost = -2\n', "rule 1 (a) cost must be a whole number from 0 to 1000000"), ('[[rule]]\nnam = "a"\n', 'no member "nam"')):
        toml.write_text(text)
        done = stack.cli("tokens", "--check-config", check=False, env={"LATCHKEY_CONFIG": str(toml)})
        assert done.returncode == 2 and said in done.stderr, done.stderr
    toml.write_text('max_staleness = "20s"\n[[rule]]\nname = "only"\nmatch = "GET /x"\n')
    done = stack.cli("tokens", "--check-config", check=False, env={"LATCHKEY_CONFIG": str(toml), "LATCHKEY_RULES": "/etc/hostname"})
    assert done.returncode == 2 and "keep them in one file" in done.stderr, done.stderr
    stack.start()
    client = admitted(stack, stack.create()[0])
    assert client("GET", "/v1/authorize/x").status == 200 and client("GET", "/v1/authorize/y").status == 403


def test_pages_of_listed_origins_may_use_the_management_service(make_stack):
    stack = make_stack(LATCHKEY_CORS_ORIGINS="https://console.example")
    stack.keys.start()
    admin = stack.admin_token()
    page = Client(stack.keys.url, {"Origin": "https://console.example"})
    asked = page("OPTIONS", "/v1/keys", headers={"Access-Control-Request-Method": "POST"})
    assert asked.status == 204 and asked.headers["Access-Control-Allow-Origin"] == "https://console.example"
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    for headers, status in ((bearer(admin), 200), ({}, 401)):
        reply = page("GET", "/v1/keys", headers=headers)
        assert reply.status == status and reply.headers["Access-Control-Allow-Origin"] == "https://console.example"
    other = Client(stack.keys.url, {"Origin": "https://evil.example"})("GET", "/v1/keys", headers=bearer(admin))
    assert other.status == 200 and "Access-Control-Allow-Origin" not in other.headers and other.headers["Vary"] == "Origin"

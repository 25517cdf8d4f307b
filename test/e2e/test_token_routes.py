"""Token Information: every row of the route table."""

import signal

import pytest

from latchkey import connect, eventually, write_catalog


@pytest.fixture(scope="module")
def holder(shared):
    access_key, key = shared.admitted_key(user="reader", requests_per_minute=100_000)
    client = shared.holder(access_key)
    client.key = key
    return client


def test_catalog(holder):
    tokens = holder("GET", "/v1/tokens").json()["tokens"]
    assert 25 <= len(tokens) <= 60 and len({t["symbol"] for t in tokens}) == len(tokens)
    for token in tokens:
        assert {"symbol", "name", "network", "contractAddress", "decimals", "website"} <= set(token), token


def test_one_token(holder):
    reply = holder("GET", "/v1/tokens/ETH")
    assert reply.status == 200 and reply.json()["symbol"] == "ETH" and reply.json()["decimals"] == 18
    for path in ("/v1/tokens/NOPE", "/v1/tokens/%20", "/v1/tokens/" + "A" * 500):
        assert holder("GET", path).status == 404 and holder("GET", path).problem, path


def test_plan(holder):
    plan = holder("GET", "/v1/plan").json()
    assert plan["keyId"] == holder.key["keyId"] and plan["userId"] == "reader" and plan["status"] == "active"
    assert plan["requestsPerMinute"] == 100_000 and plan["expiresAt"] is None and plan["remaining"] <= 100_000


def test_unknown_symbol_counts(shared):
    access_key, _ = shared.admitted_key(requests_per_minute=2)
    client = shared.holder(access_key)
    assert [client("GET", "/v1/tokens/NOPE").status for _ in range(3)] == [404, 404, 429]


def test_counted_answers_carry_their_limit(holder):
    for path in ("/v1/tokens", "/v1/tokens/BTC", "/v1/authorize"):
        reply = holder("GET", path)
        assert reply.headers["RateLimit-Policy"] == '"per-minute";q=100000;w=60'
        assert reply.headers["RateLimit"].startswith('"per-minute";r=') and reply.headers["Latchkey-Position"]
    assert "RateLimit" not in holder("GET", "/v1/plan").headers


def test_rate_limited_answer(shared):
    access_key, _ = shared.admitted_key(requests_per_minute=1)
    client = shared.holder(access_key)
    assert client("GET", "/v1/tokens").status == 200
    refused = client("GET", "/v1/tokens")
    assert refused.status == 429 and refused.problem == "rate-limited" and 1 <= int(refused.headers["Retry-After"]) <= 61
    assert refused.headers["RateLimit"].startswith('"per-minute";r=0;t=')


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_authorize_takes_any_method(holder, method):
    assert holder(method, "/v1/authorize").status == 200


def test_head_and_methods(holder):
    head = holder("HEAD", "/v1/tokens")
    assert head.status == 200 and head.body == b"" and int(head.headers["Content-Length"]) > 100
    wrong = holder("DELETE", "/v1/tokens")
    assert wrong.status == 405 and "GET" in wrong.headers["Allow"] and wrong.problem
    assert holder("GET", "/nowhere").problem == "not-found"


def test_public_routes(shared):
    client = shared.tokens.client()
    for path in ("/openapi.json", "/healthz", "/readyz", "/metrics"):
        assert client("GET", path).status == 200, path
    metrics = client("GET", "/metrics").body.decode()
    assert "# TYPE" in metrics and "latchkey_" in metrics


def test_pipelined_requests_are_answered_in_order(shared):
    access_key, _ = shared.admitted_key(requests_per_minute=100)
    symbols = ["BTC", "ETH", "NOPE", "BTC", "ETH"]
    batch = "".join(f"GET /v1/tokens/{s} HTTP/1.1\r\nHost: x\r\nX-API-Key: {access_key}\r\n\r\n" for s in symbols)
    with connect(shared.tokens.url) as sock:
        sock.sendall(batch.encode())
        received = b""

        def complete():
            nonlocal received
            received += sock.recv(65536)
            return received.count(b"HTTP/1.1 ") == 5 and received.endswith(b"}")
        eventually(complete)
    statuses = [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"200", b"404", b"200", b"200"]
    assert received.index(b'"BTC"') < received.index(b'"ETH"')


def test_catalog_file_and_reload(tmp_path, make_stack):
    catalog = tmp_path / "catalog.json"
    write_catalog(catalog, "ONE")
    stack = make_stack(LATCHKEY_CATALOG=str(catalog)).start()
    access_key, _ = stack.admitted_key()
    client = stack.holder(access_key)
    assert [t["symbol"] for t in client("GET", "/v1/tokens").json()["tokens"]] == ["ONE"]
    write_catalog(catalog, "TWO")
    stack.tokens.signal(signal.SIGHUP)
    eventually(lambda: client("GET", "/v1/tokens/TWO").status == 200)
    catalog.write_text('{"tokens":[{"symbol":"BROKEN"}]}')
    stack.tokens.signal(signal.SIGHUP)
    eventually(lambda: all("catalog" in tail for tail in stack.tokens.tails()))
    for _ in stack.replicas:
        assert client("GET", "/v1/tokens/TWO").status == 200, "a bad file must keep the old catalog"

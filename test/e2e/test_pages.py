"""Pages for people: each problem type that the sources name is explained, at both services."""

import pathlib
import re

import pytest

SRC = pathlib.Path(__file__).resolve().parents[2] / "src"
DOORS = ("http", "access", "service", "keys_service", "tokens_service", "limit")  # the folders that make problems


# {"name", "Title", 404, …} or {404, "name", "Title", …}, as each problem is written in the sources.
TYPE = r'"([a-z]+(?:-[a-z]+)*)",\s*"[A-Z][a-zA-Z ]+"'
NAMED = rf"\d{{3}},\s*{TYPE}|{TYPE},\s*(?:\d{{3}}|status)\b"


def named_types():
    found = set()
    for folder in DOORS:
        for path in (SRC / folder).rglob("*.cpp"):
            if not path.stem.endswith(("_test", "_suite")) and path.parent.name != "testing":
                found |= {first or second for first, second in re.findall(NAMED, path.read_text())}
    return found


@pytest.mark.parametrize("name", ["keys", "tokens"])
def test_each_problem_type_has_a_page(shared, name):
    client = getattr(shared, name).client()
    types = named_types()
    assert {"rate-limited", "not-found", "precondition-failed", "request-timeout"} <= types
    for problem in sorted(types):
        page = client("GET", f"/problems/{problem}")
        assert page.status == 200, f"{problem} is not explained in src/pages/problem_types.cpp"
        assert page.headers["Content-Type"] == "text/html; charset=utf-8" and f"/problems/{problem}" in page.body.decode()
    assert client("GET", "/problems/nothing-of-ours").status == 404


@pytest.mark.parametrize("name", ["keys", "tokens"])
def test_a_refusal_names_a_type_with_a_page(shared, name):
    client = getattr(shared, name).client()
    refused = client("GET", "/v1/plan")
    assert refused.status == 401
    assert client("GET", refused.json()["type"]).status == 200


def test_pages_ask_no_other_origin(shared):
    for service in (shared.keys, shared.tokens):
        client = service.client()
        for path in ("/docs", "/docs.js", "/docs.css") + (("/", "/console.js", "/console.css") if service is shared.keys else ()):
            reply = client("GET", path)
            assert reply.status == 200, path
            text = reply.body.decode().replace("http://www.w3.org/", "")  # names of namespaces are no addresses to ask
            addresses = re.findall(r"https?://[^\s\"'`)]+", text)
            assert all(address.startswith("http://localhost:7071") for address in addresses), (path, addresses)

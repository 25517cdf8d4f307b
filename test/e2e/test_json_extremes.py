"""JSON at its edges, as a body of `POST /v1/keys`: each is taken or refused with a problem that says where, none is a 500, and
what is taken comes back as it was sent."""

import json

import pytest

DEEP = 2000


def key(**members):
    return json.dumps({"userId": "a", "requestsPerMinute": 1, **members})


def with_text(member, text):
    """A body whose member is this text as it stands."""
    return '{"userId":"a","requestsPerMinute":1,"%s":%s}' % (member, text)


REFUSED = {
    "empty": "", "white space": " \t\r\n", "null": "null", "true": "true", "a number": "1", "a string": '"x"', "an array": "[]",
    "an array of one": "[" + key() + "]", "open object": '{"userId":"a"', "open string": '{"userId":"a', "no colon": '{"userId" "a"}',
    "comma at the end": '{"userId":"a","requestsPerMinute":1,}', "two values": key() + key(), "text behind": key() + "x",
    "a comment": "/* */" + key(), "single quotes": "{'userId':'a'}", "bare name": "{userId:1}", "NaN": with_text("requestsPerMinute2", "NaN"),
    "Infinity": '{"userId":"a","requestsPerMinute":Infinity}', "hexadecimal": '{"userId":"a","requestsPerMinute":0x10}',
    "plus": '{"userId":"a","requestsPerMinute":+1}', "leading zero": '{"userId":"a","requestsPerMinute":01}',
    "point at the end": '{"userId":"a","requestsPerMinute":1.}', "no double holds it": '{"userId":"a","requestsPerMinute":1e400}',
    "a fraction": '{"userId":"a","requestsPerMinute":1.5}', "nearly one": '{"userId":"a","requestsPerMinute":0.99999999999999999999}',
    "past 64 bits": '{"userId":"a","requestsPerMinute":18446744073709551617}', "minus zero": '{"userId":"a","requestsPerMinute":-0}',
    "repeated member": '{"userId":"a","userId":"b","requestsPerMinute":1}',
    "repeated by escape": '{"userId":"a","user\\u0049d":"b","requestsPerMinute":1}',
    "repeated in metadata": with_text("metadata", '{"x":1,"x":2}'), "deep arrays": with_text("metadata", "[" * DEEP + "]" * DEEP),
    "deep objects": with_text("metadata", '{"a":' * DEEP + "1" + "}" * DEEP), "deep and open": "[" * 60_000,
    "lone surrogate": '{"userId":"\\ud800","requestsPerMinute":1}', "surrogates in the wrong order": with_text("name", '"\\udc00\\ud800"'),
    "NUL escaped in a user id": '{"userId":"a\\u0000b","requestsPerMinute":1}', "NUL": '{"userId":"a\0b","requestsPerMinute":1}',
    "control character": '{"userId":"a\x01b","requestsPerMinute":1}', "byte order mark": "\ufeff" + key(),
    "metadata is text": with_text("metadata", '"{}"'), "unknown member": with_text("__proto__", '{"admin":true}'),
    "user id of another type": '{"userId":["a"],"requestsPerMinute":1}', "user id is null": '{"userId":null,"requestsPerMinute":1}',
}
OCTETS = {"not UTF-8": key().encode().replace(b'"a"', b'"\xff"'), "UTF-16": key().encode("utf-16"), "overlong": key().encode().replace(b'"a"', b'"\xc0\xaf"'),
          "a surrogate in UTF-8": key().encode().replace(b'"a"', b'"\xed\xa0\x80"'), "cut in a letter": with_text("name", '"\u20ac"').encode().replace(b"\xac", b"")}


@pytest.mark.parametrize("name", [*REFUSED, *OCTETS])
def test_what_is_no_key_is_refused_and_said_why(shared, name):
    body = OCTETS[name] if name in OCTETS else REFUSED[name].encode("utf-8", "surrogatepass")
    admin = shared.admin()
    reply = admin("POST", "/v1/keys", body, headers={"Content-Type": "application/json"})
    assert reply.status == 400 and reply.problem == "invalid-request", (reply.status, reply.body[:300])
    problem = reply.json()
    assert problem["detail"] or problem["errors"], problem
    assert len(reply.body) < 4096, "an answer repeats no body"


TAKEN = {
    "whole as a fraction": ('{"userId":"a","requestsPerMinute":60.0}', "requestsPerMinute", 60),
    "whole with an exponent": ('{"userId":"a","requestsPerMinute":6e1}', "requestsPerMinute", 60),
    "an astral letter": (with_text("name", '"\\ud83d\\ude00"'), "name", "\U0001f600"),
    "escaped solidus": (with_text("name", '"a\\/b"'), "name", "a/b"),
    "spaces between": (' { "userId" : "a" , "requestsPerMinute" : 1 } ', "userId", "a"),
    "empty metadata": (with_text("metadata", "{}"), "metadata", {}),
    "sixteen deep": (with_text("metadata", '{"a":' * 13 + "1" + "}" * 13), "metadata", json.loads('{"a":' * 13 + "1" + "}" * 13)),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_odd_and_sound_is_taken(shared, name):
    body, member, value = TAKEN[name]
    reply = shared.admin()("POST", "/v1/keys", body.encode(), headers={"Content-Type": "application/json"})
    assert reply.status == 201, reply.body
    assert reply.json()["key"][member] == value


def test_numbers_in_metadata_come_back_to_the_digit(shared):
    text = '{"a":1.0,"b":0.10,"c":123456789012345678901,"d":1e2,"e":-0.0,"f":[1.50,{"g":9007199254740993}]}'
    reply = shared.admin()("POST", "/v1/keys", with_text("metadata", text).encode(), headers={"Content-Type": "application/json"})
    assert reply.status == 201 and text in reply.body.decode(), reply.body
    key_id = reply.json()["key"]["keyId"]
    assert text in shared.admin()("GET", f"/v1/keys/{key_id}").body.decode()
    for arguments in (("key", "show", key_id, "-o", "json"), ("key", "list", "--all", "-o", "json"), ("key", "show", key_id),
                      ("changes", "-o", "json", "--limit", "1000")):
        assert text in shared.cli(*arguments).stdout, arguments
    rotated = shared.cli("key", "rotate", key_id, "--yes", "-o", "json").stdout
    assert text in rotated, rotated


@pytest.mark.parametrize("arguments", [
    ("key", "create", "--user", "a", "--requests-per-minute", "1", "--expires", "99999d"),
    ("key", "create", "--user", "a", "--requests-per-minute", "1", "--expires", "99999999999999999999d"),
    ("admin-token", "--ttl", "99999d"), ("tokens", "--check-config", "--max-staleness", "99999d")])
def test_a_duration_that_is_too_long_is_told_the_bound(shared, arguments):
    done = shared.cli(*arguments, check=False)
    assert done.returncode != 0 and "from 1s to 36600d" in done.stderr, (done.stdout, done.stderr)


def test_a_wait_that_is_too_long_is_told_the_bound(shared):
    _, row = shared.create()
    done = shared.cli("key", "disable", row["keyId"], "--yes", "--wait", "--wait-timeout", "6m", check=False)
    assert done.returncode != 0 and "from 1s to 5m" in done.stderr, done.stderr

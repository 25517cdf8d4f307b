"""Notices: read in order, and sent to targets as signed webhooks, at least once."""

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import threading

from latchkey import eventually

SECRET = base64.b64encode(bytes(range(32))).decode()


class Target:
    """Somebody that takes webhooks, or refuses them."""

    def __init__(self):
        self.taken, self.status, self.attempts = [], 204, 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.attempts += 1
                signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
                mac = hmac.new(base64.b64decode(SECRET), signed, hashlib.sha256).digest()
                good = self.headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()
                status = outer.status if good else 400
                if status == 204:
                    outer.taken.append((self.headers["webhook-id"], json.loads(body)))
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@contextlib.contextmanager
def target_of(tmp_path, allow_private="true"):
    target = Target()
    secret, targets = tmp_path / "hook.secret", tmp_path / "targets.toml"
    secret.write_text(f"whsec_{SECRET}\n")
    targets.write_text(f'[[notice_target]]\nurl = "{target.url}"\nsecret_file = "{secret}"\nallow_private = {allow_private}\n')
    target.settings = {"LATCHKEY_NOTICE_TARGETS": str(targets)}
    try:
        yield target
    finally:
        target.server.shutdown()


def notices(stack, after=0):
    return stack.admin()("GET", f"/v1/notices?after={after}&limit=1000").json()


def test_notices_are_read_in_order_and_resumed(stack):
    admin = stack.admin()
    _, key = stack.admitted_key(user="alice")
    path = f"/v1/keys/{key['keyId']}"
    admin("PATCH", path, {"name": "x"})
    admin("POST", f"{path}/rotate")
    admin("PATCH", path, {"disabled": True})
    admin("PUT", "/v1/users/alice", {})
    admin("PATCH", "/v1/users/alice", {"disabled": True})
    eventually(lambda: len(notices(stack)["notices"]) == 3)
    page = notices(stack)
    assert [n["type"] for n in page["notices"]] == ["key.rotated", "key.disabled", "user.disabled"]
    assert [n["keyId"] for n in page["notices"]] == [key["keyId"], key["keyId"], None]
    first = admin("GET", "/v1/notices?limit=1").json()
    rest = notices(stack, first["nextAfter"])
    assert first["notices"] + rest["notices"] == page["notices"]
    assert notices(stack, page["nextAfter"]) == {"notices": [], "nextAfter": page["nextAfter"]}
    erased = admin("POST", "/v1/users/alice/erase").json()
    assert {n["userId"] for n in notices(stack)["notices"]} == {erased["pseudonym"]}


def test_webhooks_come_in_order_whatever_the_target_does(make_stack, tmp_path):
    with target_of(tmp_path) as target:
        stack = make_stack(**target.settings).start()
        admin = stack.admin()
        _, key = stack.admitted_key(user="alice")
        path = f"/v1/keys/{key['keyId']}"
        admin("POST", f"{path}/rotate")
        eventually(lambda: len(target.taken) == 1)
        target.status = 302
        admin("PATCH", path, {"disabled": True})
        before = target.attempts
        eventually(lambda: target.attempts >= before + 2)
        admin("PATCH", path, {"disabled": False})
        admin("PATCH", path, {"disabled": True})
        stack.keys.kill()
        stack.keys.start()
        target.status = 204
        eventually(lambda: len({n for n, _ in target.taken}) == 3)
        ids = [n for n, _ in target.taken]
        assert list(dict.fromkeys(ids)) == sorted(set(ids), key=lambda i: int(i.split("-")[1])), "repetitions apart in order"
        assert [b["type"] for _, b in target.taken][0] == "key.rotated"
        assert target.taken[0][1]["data"]["keyId"] == key["keyId"]


def test_a_private_address_must_be_allowed(make_stack, tmp_path):
    with target_of(tmp_path, allow_private="false") as target:
        stack = make_stack(**target.settings).start()
        _, key = stack.admitted_key(user="alice")
        stack.admin()("PATCH", f"/v1/keys/{key['keyId']}", {"disabled": True})
        eventually(lambda: "its address is private" in stack.keys.log.read_text())
        assert target.attempts == 0
        assert len(notices(stack)["notices"]) == 1, "and it can be read"

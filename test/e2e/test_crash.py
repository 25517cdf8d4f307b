"""kill -9 at any moment: nothing acknowledged is lost, and the view equals the store afterwards."""

import contextlib
import http.client
import random
import threading
import time

from keyring import hold
from latchkey import LONG, eventually

KILLS = 200 if LONG else 16


class Commander(threading.Thread):
    """Sends commands without pause and remembers what was acknowledged: key id → (access key, limit, disabled)."""

    def __init__(self, stack, name, service=None):
        super().__init__(daemon=True)
        self.service, self.name, self.known, self.ending, self.acknowledged = service or stack.keys, name, {}, False, 0
        self.admin_token = stack.cli("admin-token", "--ttl", "24h",
                                     env={"LATCHKEY_DATA_DIR": str(self.service.data_dir)}).stdout.strip()
        self.random = random.Random(name)
        self.failure = None
        self.refusals = ()  # statuses that acknowledge nothing, and are no failure

    def run(self):
        try:
            while not self.ending:
                with contextlib.suppress(OSError, http.client.HTTPException):
                    self.work(self.service.client(self.admin_token))
                time.sleep(0.01)
        except Exception as failure:  # shown by the test, not lost with the thread
            self.failure = failure

    def work(self, admin):
        while not self.ending:
            if not self.known or self.random.random() < 0.3:
                self.acknowledged += self.create(admin)
            else:
                self.acknowledged += self.change(admin, self.random.choice(list(self.known)))

    def create(self, admin):
        limit = self.random.randint(1, 1000)
        reply = admin("POST", "/v1/keys", {"userId": self.name, "requestsPerMinute": limit})
        if reply.status in self.refusals:
            return False
        assert reply.status == 201, (reply.status, reply.body)
        self.known[reply.json()["key"]["keyId"]] = [reply.json()["accessKey"], limit, False]
        return True

    def change(self, admin, key_id):
        entry = self.known[key_id]
        # Until acknowledged, old or new may be true; afterwards only the new: forget the key while it is unsure.
        del self.known[key_id]
        if self.random.random() < 0.5:
            entry[1] = self.random.randint(1, 1000)
            reply = admin("PATCH", f"/v1/keys/{key_id}", {"requestsPerMinute": entry[1]})
        else:
            entry[2] = not entry[2]
            reply = admin("PATCH", f"/v1/keys/{key_id}", {"disabled": entry[2]})
        if reply.status in self.refusals:
            return False
        assert reply.status == 200, (reply.status, reply.body)
        self.known[key_id] = entry
        return True


def stored_keys(admin):
    keys, cursor = {}, ""
    while cursor is not None:
        page = admin("GET", "/v1/keys?limit=500" + (f"&cursor={cursor}" if cursor else "")).json()
        keys |= {k["keyId"]: k for k in page["keys"]}
        cursor = page["nextCursor"]
    return keys


def assert_view_equals_store(stack, known):
    stored = stored_keys(stack.admin())
    position = stack.admin()("GET", "/v1/keys?limit=1")
    assert position.status == 200
    replicas = [replica.client() for replica in stack.replicas]
    head = max(stored.values(), key=lambda k: int(k["position"].split(".")[1]))["position"]
    for key_id, (access_key, limit, disabled) in known.items():
        row = stored[key_id]
        assert row["requestsPerMinute"] == limit, "an acknowledged command was lost"
        assert (row["status"] == "disabled") == disabled, "an acknowledged command was lost"
        for replica in replicas:
            hold(reached(replica, access_key, head), row)


def reached(replica, access_key, position):
    """What it answers once it is there: it waits for a position, but not for long."""
    def ask():
        reply = replica("GET", "/v1/plan", headers={"X-API-Key": access_key, "Latchkey-At-Least": position})
        return None if reply.status == 503 else reply
    return eventually(ask)


def start_commanders(stack, refusals=(), services=(None,)):
    commanders = [Commander(stack, f"user-{i}", services[i % len(services)]) for i in range(4)]
    for c in commanders:
        c.refusals = refusals
        c.start()
    eventually(lambda: all(c.acknowledged > 5 for c in commanders))
    return commanders


def end_commanders(stack, commanders):
    """Everything acknowledged, and enough of it, is in the store and in the view."""
    eventually(lambda: all(c.acknowledged > 20 or c.failure for c in commanders))
    for c in commanders:
        c.ending = True
    for c in commanders:
        c.join()
        assert c.failure is None, c.failure
    known = {k: v for c in commanders for k, v in c.known.items()}
    print(f"{sum(c.acknowledged for c in commanders)} acknowledged commands, {len(known)} keys compared")
    assert len(known) > 10
    assert_view_equals_store(stack, known)


def test_kill_9_under_load(idle_stack):
    stack = idle_stack
    seed = random.randrange(2**32)
    print("seed", seed)
    dice = random.Random(seed)
    stack.start()
    commanders = start_commanders(stack)
    for _ in range(KILLS):
        time.sleep(dice.random() * 0.1)
        victim = dice.choice(stack.processes)
        victim.kill()
        victim.start()
    print(f"{KILLS} kills")
    end_commanders(stack, commanders)

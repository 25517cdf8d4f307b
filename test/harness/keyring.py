"""Keys that a test changes at random, and whether every replica knows of each what the store knows."""

import contextlib
import http.client
import random
import threading
import time

from turns import eventually


class Keyring:
    def __init__(self, stack):
        self.stack, self.made, self.changes = stack, {}, 0  # made: key id → access key

    def make(self, count):
        admin = self.stack.admin()
        for _ in range(count):
            reply = admin("POST", "/v1/keys", {"userId": "alice", "requestsPerMinute": 1000})
            assert reply.status == 201, reply
            self.made[reply.json()["key"]["keyId"]] = reply.json()["accessKey"]
        return reply.headers["Latchkey-Position"]

    def change(self, seed):
        """One change of a random key. Returns its position."""
        pick = random.Random(seed)
        key_id = pick.choice(sorted(self.made))
        body = pick.choice([{"disabled": True}, {"disabled": False}, {"requestsPerMinute": pick.randint(100, 100000)}])
        self.changes += 1  # in the name, since what changes nothing has no position of its own
        reply = self.stack.admin()("PATCH", f"/v1/keys/{key_id}", {**body, "name": f"change {self.changes}"})
        assert reply.status == 200, reply
        return reply.headers["Latchkey-Position"]

    def reached_everywhere(self, position):
        """Returns when."""
        some_key = next(iter(self.made.values()))
        for replica in self.stack.replicas:
            eventually(lambda: reached(replica, some_key, position), seconds=60)
        return time.monotonic()

    def views_equal_store(self, position):
        """Every replica reaches the position, and then knows of each key what the store knows. Returns when it was reached."""
        when = self.reached_everywhere(position)
        admin = self.stack.admin()
        for key_id, access_key in self.made.items():
            shown = admin("GET", f"/v1/keys/{key_id}")
            for replica in self.stack.replicas:
                hold(replica.client(access_key)("GET", "/v1/plan"), shown.json() if shown.status == 200 else None)
        return when


class Revoked(threading.Thread):
    """A key that every replica refuses, asked for at each of them without end: whatever befalls them, it is never let in."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack, self.ending, self.refused, self.admitted = stack, False, 0, []
        self.access_key, key = stack.admitted_key(user="revoked", requests_per_minute=1_000_000)
        assert stack.admin()("PATCH", f"/v1/keys/{key['keyId']}", {"disabled": True}).status == 200
        holder = stack.holder(self.access_key)
        eventually(lambda: holder("GET", "/v1/tokens").status == 401)
        self.start()

    def run(self):
        holder = self.stack.holder(self.access_key)
        while not self.ending:
            try:
                reply = holder("GET", "/v1/tokens")
                self.refused += reply.status in (401, 503)
                self.admitted += [reply.headers["Latchkey-Position"]] if reply.status == 200 else []
            except (OSError, http.client.HTTPException):
                holder = self.stack.holder(self.access_key)
            time.sleep(0.005)

    def end(self):
        self.ending = True
        self.join()
        assert not self.admitted, self.admitted
        assert self.refused, "nobody was asked"


def reached(replica, access_key, position):
    with contextlib.suppress(OSError, http.client.HTTPException):
        return replica.client(access_key)("GET", "/v1/plan", headers={"Latchkey-At-Least": position}).status != 503
    return False


def hold(plan, row):
    """`plan` is what the holder of the key in `row` should see; None: nobody knows such a key."""
    if row is None:
        assert (plan.status, plan.problem) == (401, "invalid-token"), plan
    elif row["status"] == "active":
        assert plan.status == 200, (row, plan)
        assert plan.json()["requestsPerMinute"] == row["requestsPerMinute"], row
    else:
        assert (plan.status, plan.problem) == (401, f"key-{row['status']}"), (row, plan)

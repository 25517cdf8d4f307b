"""Keys that a test changes at random, and whether every replica knows of each what the store knows."""

import contextlib
import http.client
import random
import time

from turns import eventually


class Keyring:
    def __init__(self, stack):
        self.stack, self.made = stack, {}  # key id → access key

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
        reply = self.stack.admin()("PATCH", f"/v1/keys/{key_id}", body)
        assert reply.status == 200, reply
        return reply.headers["Latchkey-Position"]

    def views_equal_store(self, position, seconds=60.0):
        """Every replica reaches the position, and then knows of each key what the store knows. Returns when they had reached it."""
        some_key = next(iter(self.made.values()))
        for replica in self.stack.replicas:
            eventually(lambda: reached(replica, some_key, position), seconds)
        when = time.monotonic()
        admin = self.stack.admin()
        for key_id, access_key in self.made.items():
            shown = admin("GET", f"/v1/keys/{key_id}")
            for replica in self.stack.replicas:
                hold(replica.client(access_key)("GET", "/v1/plan"), shown.json() if shown.status == 200 else None)
        return when


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

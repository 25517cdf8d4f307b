"""One limit over three processes of the real service and one real Redis: whatever dies, never more than the limit.

Three management services would each have a store of their own; here three `tokens` services read copies of one data
directory, which is all that the limiter needs to see: the same key with the same limit.
"""

import shutil
import socket
import threading
import time

import pytest

from latchkey import Service, eventually
from servers import Redis
from test_rate_limit import most_in_any_minute

pytestmark = pytest.mark.engines("sqlite", reason="starts engines of its own")
LIMIT = 600


class Proxy:
    """Between a service and Redis; can be cut, so that connections hang, and mended."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = threading.Event()
        self.open.set()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=(source, sink), daemon=True).start()

    def copy(self, source, sink):
        try:
            while piece := source.recv(65536):
                self.open.wait()
                sink.sendall(piece)
        except OSError:
            pass
        for end in (source, sink):
            end.close()

    def end(self):
        self.listener.close()
        self.open.set()


class Replicas:
    def __init__(self, stack, tmp_path):
        self.redis = Redis(tmp_path).start()
        self.redis.cli("SET", "latchkey:limit:no-history", "1", "EX", "60")
        self.proxy = Proxy(self.redis.port)
        self.access_key, _ = stack.admitted_key(requests_per_minute=LIMIT)
        stack.tokens.stop()
        stack.keys.stop()
        self.services = []
        for i in range(3):
            data = tmp_path / f"replica{i}" / "data"
            shutil.copytree(stack.data_dir, data)
            self.services.append(Service("tokens", data, LATCHKEY_LIMITER=f"redis://127.0.0.1:{self.proxy.port}",
                                         LATCHKEY_MAX_STALENESS="600s"))
        for service in self.services:
            service.start()
        eventually(lambda: all(self.metric(s, "latchkey_limiter_replicas") == 3 for s in self.services))

    def metric(self, service, name):
        text = service.client()("GET", "/metrics").body.decode()
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " "))

    def hammer(self, seconds, connections=64, pause=0.01, disturb=()):
        """(admitted intervals, statuses, longest answer): `disturb` is a list of (after seconds, action)."""
        admitted, statuses, longest, lock = [], {}, [0.0], threading.Lock()
        end = time.monotonic() + seconds

        def loop(index):
            service = self.services[index % len(self.services)]
            client = None
            while time.monotonic() < end:
                sent = time.monotonic()
                try:
                    client = client or service.client(self.access_key)
                    reply = client("GET", "/v1/authorize").status
                except Exception:  # a replica that was killed
                    client, reply = None, 0
                    time.sleep(0.2)
                answered = time.monotonic()
                with lock:
                    statuses[reply] = statuses.get(reply, 0) + 1
                    if reply:
                        longest[0] = max(longest[0], answered - sent)
                    if reply == 200:
                        admitted.append((sent, answered))
                time.sleep(pause)

        threads = [threading.Thread(target=loop, args=(i,)) for i in range(connections)]
        begun = time.monotonic()
        for thread in threads:
            thread.start()
        for after, action in disturb:
            time.sleep(max(0, begun + after - time.monotonic()))
            action()
        for thread in threads:
            thread.join()
        return admitted, statuses, longest[0]

    def end(self):
        self.proxy.end()
        for service in self.services:
            service.end()
        self.redis.kill()


@pytest.fixture
def replicas(stack, tmp_path):
    it = Replicas(stack, tmp_path)
    yield it
    it.end()


def test_three_replicas_admit_one_limit_and_use_it(replicas):
    admitted, statuses, _ = replicas.hammer(seconds=65)
    calls = sum(replicas.metric(s, "latchkey_limiter_calls_total") for s in replicas.services)
    requests = sum(statuses.values())
    print(f"admitted {len(admitted)} of {requests}, {calls / requests:.4f} calls a request, {statuses}")
    assert set(statuses) == {200, 429}
    assert most_in_any_minute(admitted) <= LIMIT
    assert len(admitted) >= 0.95 * LIMIT * 2, "two windows begin within 65 s"
    assert calls <= 0.05 * requests


def test_a_killed_replica_a_cut_network_and_an_emptied_redis_never_admit_more(replicas):
    def empty_redis():
        replicas.redis.kill()
        replicas.redis.start()

    admitted, statuses, longest = replicas.hammer(seconds=150, disturb=[
        (0.3, replicas.services[2].kill),
        (58, replicas.proxy.open.clear), (64, replicas.proxy.open.set),  # while the first permits come back
        (66, empty_redis)])
    print(f"admitted {len(admitted)}, longest answer {longest:.2f} s, {statuses}")
    assert most_in_any_minute(admitted) <= LIMIT
    assert len(admitted) >= 0.9 * 2 * LIMIT, "one window before, and one after what was unknown has passed"
    assert statuses[503] > 0, "a key without permits cannot be decided while the network is cut"

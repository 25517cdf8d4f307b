"""Many at once, and what is told to whom: streams that nobody reads, commands that wait, connections that say nothing, rotations that race."""

import asyncio
import concurrent.futures
import contextlib
import os
import re
import resource
import signal
import urllib.parse

import pytest

from latchkey import LONG, bearer, connect, eventually, is_sanitised

EMBEDDED = pytest.mark.engines("sqlite", reason="about the services' doors, which are the same with every store", long=True)


def head(method, path, token, *more):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", *more, "", ""]).encode()


def status_line(connection):
    """The status of the answer that comes next, or 0 where the peer closes."""
    with contextlib.suppress(OSError):
        received = b""
        while b"\r\n" not in received:
            piece = connection.recv(4096)
            if not piece:
                break
            received += piece
        return int(received.split()[1]) if received else 0
    return 0


@EMBEDDED
def test_streams_that_nobody_reads_hold_up_no_command(stack):
    admin, token = stack.admin(), stack.admin_token()
    with contextlib.ExitStack() as connections:
        streams = [connections.enter_context(connect(stack.keys.url)) for _ in range(100)]
        for stream in streams:
            stream.sendall(head("GET", "/v1/changes", token, "Accept: text/event-stream"))
        statuses = [status_line(stream) for stream in streams]
        assert set(statuses) == {200, 503} and statuses.count(200) <= 64, statuses
        for number in range(50):
            assert admin("POST", "/v1/keys", {"userId": f"user-{number}", "requestsPerMinute": 1}).status == 201
        assert stack.keys.client()("GET", "/healthz").status == 200


@EMBEDDED
def test_more_waiters_than_there_are_places_are_refused_and_the_others_are_answered(make_stack):
    """Of 300 that wait for a replica that is stopped 256 wait; the rest is told so at once, and other commands pass."""
    stack = make_stack(LATCHKEY_MAX_STALENESS="10m").start()  # so that nobody is answered since it must have fenced itself
    _, key = stack.admitted_key()
    token, (replica,) = stack.admin_token(), stack.replicas
    body = '{"requestsPerMinute":7}'
    request = head("PATCH", f"/v1/keys/{key['keyId']}?wait=enforced&timeout=4m", token, "Content-Type: application/json",
                   f"Content-Length: {len(body)}") + body.encode()
    assert stack.admin()("PATCH", f"/v1/keys/{key['keyId']}", {"requestsPerMinute": 8}).status == 200
    replica.signal(signal.SIGSTOP)
    try:
        statuses = asyncio.run(wait_in_a_crowd(stack, request, 300, lambda: os.kill(replica.process.pid, signal.SIGCONT)))
    finally:
        os.kill(replica.process.pid, signal.SIGCONT)
    assert set(statuses) <= {200, 503} and statuses.count(200) == 256, {one: statuses.count(one) for one in set(statuses)}


async def wait_in_a_crowd(stack, request, count, release):
    address = urllib.parse.urlsplit(stack.keys.url)

    async def one():
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(request)
        line = await reader.readline()
        writer.close()
        return int(line.split()[1])
    tasks = [asyncio.create_task(one()) for _ in range(count)]
    while sum(task.done() for task in tasks) < count - 256:
        await asyncio.sleep(0.01)
    created = await asyncio.to_thread(stack.create)  # nobody who waits is in its way
    assert created
    release()
    return await asyncio.gather(*tasks)


@EMBEDDED
def test_idle_connections_leave_room_for_one_that_is_open(stack):
    """With 64 descriptors the rest of 200 waits; whoever is connected is served, and all is well once they left."""
    access_key, _ = stack.admitted_key()
    replica = stack.replicas[0]
    kept = replica.client(access_key)
    assert kept("GET", "/v1/plan").status == 200
    hard = resource.prlimit(replica.process.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(replica.process.pid, resource.RLIMIT_NOFILE, (64, hard))
    with contextlib.ExitStack() as connections:
        for _ in range(200):
            connections.enter_context(connect(replica.url))
        for _ in range(20):
            assert kept("GET", "/v1/plan").status == 200
    eventually(lambda: replica.client(access_key)("GET", "/v1/plan").status == 200)


@EMBEDDED
def test_a_crowd_of_idle_connections_slows_nobody(stack):
    """1,000, in the long campaign 5,000: none is closed for another, and memory stays within 16 KiB each."""
    count = 5000 if LONG else 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 500), hard))
    try:
        access_key, _ = stack.admitted_key(requests_per_minute=100_000)
        replica = stack.replicas[0]
        kept = replica.client(access_key)
        assert kept("GET", "/v1/tokens").status == 200
        before = resident(replica)
        with contextlib.ExitStack() as connections:
            for _ in range(count):
                connections.enter_context(connect(replica.url))
            for _ in range(200):
                assert kept("GET", "/v1/tokens").status == 200
            if not is_sanitised():
                assert resident(replica) - before < count * 16 + 20_000, (before, resident(replica))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident(service):
    """Kilobytes."""
    with open(f"/proc/{service.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def decided(reply):
    return None if reply.status == 503 else reply


def test_of_many_rotations_at_once_two_tokens_pass(stack):
    """The newest, and with grace the one before it."""
    access_key, key = stack.admitted_key(requests_per_minute=1000)

    def rotate(_):
        reply = stack.admin()("POST", f"/v1/keys/{key['keyId']}/rotate", {"gracePeriod": "5m"})
        assert reply.status == 200, reply.body
        return reply.json()["accessKey"], reply.headers["Latchkey-Position"]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        rotated = list(pool.map(rotate, range(16)))
    position = max((position for _, position in rotated), key=lambda p: int(p.split(".")[1]))
    for replica in stack.replicas:
        client = replica.client()

        def passes(token):
            reply = eventually(lambda: decided(client("GET", "/v1/plan", headers={**bearer(token), "Latchkey-At-Least": position})))
            return reply.status == 200
        assert sum(passes(token) for token, _ in rotated) == 2 and not passes(access_key)


def test_no_secret_is_on_a_command_line_or_a_public_page(stack):
    access_key, key = stack.admitted_key()
    assert stack.holder(access_key)("GET", f"/v1/tokens/{access_key}").status in (400, 404)
    signature = access_key.split(".")[2]
    for service in (stack.keys, *stack.replicas):
        with open(f"/proc/{service.process.pid}/cmdline", "rb") as line:
            told = line.read().decode()
        for page in ("/metrics", "/readyz", "/healthz"):
            told += service.client()("GET", page).body.decode()
        told += service.log.read_text()
        assert signature not in told and key["keyId"] not in told and "alice" not in told


def flood(url, access_key):
    """Requests without end whose answers nobody reads, until no more go out."""
    sock = connect(url)
    sock.setblocking(False)
    requests, sent = head("GET", "/v1/tokens", access_key) * 200, 0
    with contextlib.suppress(BlockingIOError):
        while sent < 64 << 20:
            sent += sock.send(requests)
    return sock


@EMBEDDED
def test_floods_that_nobody_reads_take_no_memory_and_slow_nobody(stack):
    """20 connections that pipeline what they never read: each is held where it is, and whoever reads is served."""
    access_key, _ = stack.admitted_key(requests_per_minute=1_000_000)
    replica = stack.replicas[0]
    kept = replica.client(access_key)
    assert kept("GET", "/v1/tokens").status == 200
    before = resident(replica)
    with contextlib.ExitStack() as connections:
        for _ in range(20):
            connections.enter_context(flood(replica.url, access_key))
        for _ in range(200):
            assert kept("GET", "/v1/tokens").status == 200
        if not is_sanitised():
            assert resident(replica) - before < 20 * 512, (before, resident(replica))
    eventually(lambda: replica.client(access_key)("GET", "/v1/tokens").status == 200)


@pytest.mark.skipif(not LONG, reason="20 s of load")
@EMBEDDED
def test_two_thousand_connections_that_all_ask_leave_a_polite_one_served_and_a_revocation_exact(stack):
    count, seconds = 2000, 20
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 500), hard))
    access_key, key = stack.admitted_key(requests_per_minute=1_000_000)
    polite, _ = stack.admitted_key(user="polite", requests_per_minute=1_000_000)
    replica = stack.replicas[0]
    address, request, ending = urllib.parse.urlsplit(replica.url), head("GET", "/v1/authorize", access_key), []
    admitted = []  # when each request that was let in was sent

    async def ask():
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        while not ending:
            sent = asyncio.get_running_loop().time()
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            size = re.search(rb"\r\nContent-Length: (\d+)", answer)
            await reader.readexactly(int(size[1]) if size else 0)
            if answer.startswith(b"HTTP/1.1 200"):
                admitted.append(sent)
        writer.close()

    async def crowd():
        tasks = [asyncio.create_task(ask()) for _ in range(count)]
        await asyncio.sleep(seconds / 2)
        statuses = await asyncio.to_thread(lambda: [replica.client(polite)("GET", "/v1/tokens").status for _ in range(20)])
        done = await asyncio.to_thread(lambda: stack.admin()("PATCH", f"/v1/keys/{key['keyId']}?wait=enforced&timeout=1m", {"disabled": True}))
        confirmed = asyncio.get_running_loop().time()
        await asyncio.sleep(seconds / 2)
        ending.append(True)
        await asyncio.gather(*tasks)
        return statuses, done.status, [sent for sent in admitted if sent > confirmed]
    before = resident(replica)
    try:
        statuses, confirmed, late = asyncio.run(crowd())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert set(statuses) == {200} and confirmed == 200 and not late, (statuses, confirmed, len(late))
    if not is_sanitised():
        assert resident(replica) - before < count * 24 + 20_000, (before, resident(replica))

"""A resource that gives out costs what needs it, and no process."""

import contextlib
import json
import os
import resource
import socket
import subprocess
import time

import pytest

from latchkey import BINARY, clean_environment, eventually, is_sanitised

pytestmark = pytest.mark.engines("sqlite", reason="files of both services")


def limit(service, resource_kind, soft):
    _, hard = resource.prlimit(service.process.pid, resource_kind)
    resource.prlimit(service.process.pid, resource_kind, (soft, hard))


def test_files_that_may_not_grow_are_a_full_disk(stack):
    """RLIMIT_FSIZE (`prlimit --fsize`, ulimit -f): the kernel sends SIGXFSZ, which kills whoever has not decided on it."""
    access_key, key = stack.admitted_key(requests_per_minute=100_000)
    admin, holder, tokens = stack.admin(), stack.holder(access_key), stack.replicas[0]
    for service in stack.processes:
        limit(service, resource.RLIMIT_FSIZE, 400_000)
    metadata = {"filler": "x" * 4000}
    answers = [admin("POST", "/v1/keys", {"userId": "u", "requestsPerMinute": 1, "metadata": metadata}).status for _ in range(150)]
    assert 201 in answers and 503 in answers and set(answers) <= {201, 503}, answers
    for _ in range(3000):  # half a megabyte of log
        assert holder("GET", "/v1/tokens").status == 200
    assert all(service.alive() for service in stack.processes)
    eventually(lambda: list(stack.data_dir.glob("logs/requests.jsonl.*")))
    assert tokens.metric("latchkey_request_log_dropped_total") == 0, "the log goes on in another file"
    for service in stack.processes:
        limit(service, resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
    done = eventually(lambda: admin("PATCH", f"/v1/keys/{key['keyId']}", {"disabled": True}).status == 200)
    assert done
    eventually(lambda: holder("GET", "/v1/tokens").status == 401)


def test_the_end_of_processor_time_is_a_stop_in_order(stack):
    """RLIMIT_CPU: SIGXCPU first, SIGKILL at the hard limit."""
    service = stack.replicas[0]
    resource.prlimit(service.process.pid, resource.RLIMIT_CPU, (1, resource.RLIM_INFINITY))
    client = service.client()
    deadline = time.monotonic() + 300
    while service.process.poll() is None and time.monotonic() < deadline:
        try:
            client("GET", "/metrics")
        except OSError:
            break
    assert service.process.wait(timeout=300) == 0 and "RLIMIT_CPU" in service.tail(), service.tail()
    service.process = None


def test_a_log_that_others_move_goes_on(stack):
    """logrotate without copytruncate; then the folder."""
    access_key, _ = stack.admitted_key()
    holder, log = stack.holder(access_key), stack.data_dir / "logs" / "requests.jsonl"

    def logged(path):
        holder("GET", path)
        eventually(lambda: log.exists() and path in log.read_text())

    logged("/v1/tokens/ONE")
    log.rename(log.with_name("requests.jsonl-20260101"))
    logged("/v1/tokens/TWO")
    (stack.data_dir / "logs").rename(stack.data_dir / "logs.old")
    logged("/v1/tokens/THREE")
    log.unlink()
    logged("/v1/tokens/FOUR")
    log.write_text("")
    logged("/v1/tokens/FIVE")
    assert all(json.loads(line) for line in log.read_text().splitlines())
    assert stack.replicas[0].metric("latchkey_request_log_dropped_total") == 0


@pytest.mark.skipif(is_sanitised(), reason="a sanitiser itself does not start in so few addresses")
def test_an_address_space_that_is_too_small_says_so(idle_stack):
    """ulimit -v: the limiter maps 20 GiB of addresses, and a service without says more than std::bad_alloc."""
    service = idle_stack.replicas[0]
    for megabytes in (2000, 100):
        done = subprocess.run(["bash", "-c", f"ulimit -v {megabytes * 1000}; exec {BINARY} tokens"], capture_output=True, text=True,
                              env={**clean_environment(), **service.settings}, timeout=300, check=False)
        assert done.returncode == 1 and "RLIMIT_AS" in done.stderr, done


@pytest.mark.skipif(is_sanitised(), reason="UBSan asks by a pipe whether an object is readable, and takes EMFILE for no")
def test_too_many_open_files_fill_no_log(stack):
    service = stack.replicas[0]
    client = service.client()
    assert client("GET", "/healthz").status == 200
    used = len(os.listdir(f"/proc/{service.process.pid}/fd"))
    limit(service, resource.RLIMIT_NOFILE, used)
    address = service.url.removeprefix("http://").split(":")
    with contextlib.ExitStack() as waiting:
        for _ in range(4):
            waiting.enter_context(socket.create_connection((address[0], int(address[1]))))
        eventually(lambda: "Too many open files" in service.tail())
        time.sleep(2.5)  # five tries of each of the two threads
        assert service.log.read_text().count("http: accept: ") <= 2, service.tail()
        limit(service, resource.RLIMIT_NOFILE, 1024)
    eventually(lambda: service.client()("GET", "/healthz").status == 200)


def test_a_mapped_file_that_others_shorten_kills_nobody(stack):
    """SIGBUS: `truncate -s 0 state/limits`. What was admitted is forgotten with it, so everybody waits for a minute."""
    access_key, _ = stack.admitted_key(requests_per_minute=3)
    holder, service = stack.holder(access_key), stack.replicas[0]
    assert [holder("GET", "/v1/tokens").status for _ in range(4)] == [200, 200, 200, 429]
    os.truncate(stack.data_dir / "state" / "limits", 0)
    reply = holder("GET", "/v1/tokens")
    assert reply.status == 429 and int(reply.headers["Retry-After"]) > 55, reply
    eventually(lambda: service.alive() and "shortened the file of permits" in service.tail())
    os.truncate(stack.data_dir / "latchkey.db-shm", 0)
    # Its zeros would be believed: who comes upon it ends with a sentence, to be started again.
    eventually(lambda: service.process.poll() is not None)
    assert service.process.returncode == 1 and "shortened by somebody else" in service.tail(), service.tail()
    stack.keys.kill()  # as soon as it looks

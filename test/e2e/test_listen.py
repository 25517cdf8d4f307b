"""Where the services listen: several addresses, and Unix sockets, which the command line finds and uses as well."""

import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess

import pytest

from latchkey import BINARY, Client, bearer, clean_environment, eventually
from servers import free_port
from test_up import self_signed

pytestmark = pytest.mark.engines("sqlite", reason="about the services' doors, which are the same with every store")


class UnixClient(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=120)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)

    def ask(self, method, path, headers=None):
        self.request(method, path, headers=headers or {})
        reply = self.getresponse()
        return reply.status, reply.read()


@pytest.fixture
def sockets(tmp_path):
    return tmp_path / "keys.sock", tmp_path / "tokens.sock"


@pytest.fixture
def unix_stack(make_stack, sockets):
    keys, tokens = sockets
    stack = make_stack(LATCHKEY_KEYS_LISTEN=f"unix:{keys}", LATCHKEY_TOKENS_LISTEN=f"unix:{tokens}?mode=0666")
    stack.keys.start(wait="listens")
    stack.replicas[0].start(wait="listens")
    eventually(lambda: UnixClient(tokens).ask("GET", "/readyz")[0] == 200)
    return stack


def test_the_whole_job_over_unix_sockets(unix_stack, sockets):
    keys, tokens = sockets
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600 and stat.S_IMODE(tokens.stat().st_mode) == 0o666
    key = unix_stack.cli("key", "create", "--user", "alice", "--requests-per-minute", "60", "--wait", "--quiet").stdout.strip()
    client = UnixClient(tokens)
    for _ in range(3):
        assert client.ask("GET", "/v1/tokens", bearer(key))[0] == 200
    (row,) = json.loads(unix_stack.cli("key", "list", "-o", "json", env={"LATCHKEY_URL": f"unix:{keys}"}).stdout)["keys"]
    unix_stack.cli("key", "disable", row["keyId"], "--yes", "--wait")
    assert client.ask("GET", "/v1/tokens", bearer(key))[0] == 401
    assert UnixClient(keys).ask("GET", "/healthz")[0] == 200
    assert row["keyId"] in unix_stack.cli("changes").stdout


def test_a_killed_service_leaves_a_file_that_the_next_one_replaces(unix_stack, sockets):
    keys, _ = sockets
    unix_stack.keys.kill()
    assert keys.exists()
    unix_stack.keys.start(wait="listens")
    assert UnixClient(keys).ask("GET", "/healthz")[0] == 200
    assert unix_stack.keys.stop() == 0
    assert not keys.exists(), "and an orderly end takes it away"


def test_anothers_socket_is_left_alone(unix_stack, sockets, tmp_path):
    keys, _ = sockets
    done = subprocess.run([BINARY, "keys"], capture_output=True, text=True, timeout=300, check=False,
                          env={**clean_environment(), "LATCHKEY_DATA_DIR": str(tmp_path / "other"), "LATCHKEY_KEYS_LISTEN": f"unix:{keys}"})
    assert done.returncode == 1 and f"keys_listen: cannot listen at {keys}: another process does" in done.stderr, done.stderr
    assert UnixClient(keys).ask("GET", "/healthz")[0] == 200


def test_several_addresses(make_stack, sockets, tmp_path):
    keys, _ = sockets
    tls = self_signed(tmp_path)
    stack = make_stack(LATCHKEY_KEYS_LISTEN=f"127.0.0.1:0, unix:{keys},[::1]:0", **tls)
    stack.keys.start(wait="listens")
    first, second, third = stack.keys.url_file.read_text().split()
    assert re.fullmatch(r"https://127.0.0.1:\d+", first) and second == f"unix:{keys}" and re.fullmatch(r"https://\[::1\]:\d+", third)
    eventually(lambda: f"keys listens at {first}, {second}, {third}" in stack.keys.tail())  # written after the file of addresses
    assert UnixClient(keys).ask("GET", "/healthz")[0] == 200, "no TLS there"
    for url in (None, second):
        assert json.loads(stack.cli("key", "list", "-o", "json", env={"LATCHKEY_URL": url} if url else tls).stdout)["keys"] == []


def test_up_prints_all_addresses(sockets, tmp_path):
    keys, tokens = sockets
    port = free_port()
    environment = {**clean_environment(), "LATCHKEY_DATA_DIR": str(tmp_path / "data"), "LATCHKEY_TOKENS_LISTEN": f"unix:{tokens}",
                   "LATCHKEY_KEYS_LISTEN": f"127.0.0.1:{port},unix:{keys}"}
    with subprocess.Popen([BINARY, "up"], stdout=subprocess.PIPE, env=environment, text=True) as process:
        tour = ""
        while "Ctrl-C" not in tour:
            line = process.stdout.readline()
            assert line, tour
            tour += line
        assert tour.startswith(f"Access Key Management  http://127.0.0.1:{port}/  the console; http://127.0.0.1:{port}/docs describes the API\n                       unix:{keys}\n"
                               f"Token Information      unix:{tokens}\nAdmin token"), tour
        script = "\n".join(line for line in tour.split("paste into another terminal:")[1].splitlines() if line.startswith("  "))
        done = subprocess.run(["bash", "-ec", script], capture_output=True, text=True, timeout=300, env=clean_environment(), check=False)
        assert done.returncode == 0 and "401" in done.stdout, (script, done.stdout, done.stderr)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=300) == 0
    assert not keys.exists() and not tokens.exists()


@pytest.mark.parametrize("listen, said", [
    ("unix:relative", "neither host:port nor unix:/path"), ("unix:/a?mode=999", "octal mode"), ("unix:/a?owner=x", "mode=0660 or group=NAME"),
    ("unix:/a?group=no-such-group-here", "no group of this machine"), ("unix:/" + "a" * 108, "more than 107 bytes"),
    ("127.0.0.1:1,127.0.0.1:1", "twice"), ("127.0.0.1:1,", "neither host:port")])
def test_addresses_that_cannot_be_meant(tmp_path, listen, said):
    done = subprocess.run([BINARY, "keys", "--check-config"], capture_output=True, text=True, timeout=300, check=False,
                          env={**clean_environment(), "LATCHKEY_DATA_DIR": str(tmp_path / "data"), "LATCHKEY_KEYS_LISTEN": listen})
    assert done.returncode == 2 and "LATCHKEY_KEYS_LISTEN" in done.stderr and said in done.stderr, done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")
def test_only_those_of_the_group_may_connect(make_stack, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for parent in (folder, tmp_path, *list(tmp_path.parents)[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)
    path = folder / "keys.sock"
    stack = make_stack(LATCHKEY_KEYS_LISTEN=f"unix:{path}?mode=0660&group=games")
    stack.keys.start(wait="listens")
    ask = ["/usr/bin/python3", "-c", "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])", str(path)]

    def connects(**who):
        return subprocess.run(ask, check=False, capture_output=True, **who).returncode == 0
    assert connects(user="nobody", group="games", extra_groups=[])
    assert not connects(user="nobody", group="nogroup", extra_groups=[])

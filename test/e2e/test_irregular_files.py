"""What is no regular file at the name of a file of ours: nobody waits for it, follows it or believes it. The walk is over
all names that a data directory has after both services ran, so a new file is in it on the day that it is made."""

import os
import shutil
import signal
import stat
import subprocess

import pytest

from latchkey import BINARY, Service, clean_environment, eventually

pytestmark = pytest.mark.engines("sqlite", reason="all files that there are, in one directory")

# Those that are made again, or done without: whatever is at their name costs a start nothing but what was in them.
MADE_AGAIN = {"view.snapshot", "state/replica", "state/memos", "replicas.db", "run/keys.url", "run/tokens.url",
              "logs/requests.jsonl"}


def fifo(path, _outside):
    os.mkfifo(path)


def directory(path, _outside):
    path.mkdir()


def link(path, outside):
    path.symlink_to(outside)


def device(path, _outside):
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero: without an end
    except PermissionError:
        path.symlink_to("/dev/zero")


def files_of(data_dir):
    return sorted(path.relative_to(data_dir) for path in data_dir.rglob("*") if path.is_file())


@pytest.fixture
def left_behind(stack, tmp_path):
    """A data directory that both services have worked on and left."""
    access_key, _ = stack.admitted_key()
    assert stack.holder(access_key)("GET", "/v1/tokens").status == 200
    stack.tokens.stop()
    stack.keys.kill()  # so that -wal and -shm stay
    assert {"latchkey.db-wal", "secrets/memos.key", "run/tokens.lock"} <= {str(name) for name in files_of(stack.data_dir)}
    return stack.data_dir


def start(service):
    """Whether it serves; if not, what it said, which is its last word."""
    service.launch()
    eventually(lambda: service.process.poll() is not None or listens(service))
    return None if service.process.poll() is None else service.tail().splitlines()[-1]


def listens(service):
    if service.url_file.is_symlink() or not service.url_file.is_file():
        return False
    try:
        return service.client()("GET", "/healthz").status == 200
    except OSError:
        return False


@pytest.mark.parametrize("make", [fifo, directory, link, device])
def test_each_name_of_the_data_directory(left_behind, tmp_path, make):
    """Every file is replaced at once. A service says which one it cannot use and ends; that one is put back; and so on,
    until it serves, and ends when it is asked to."""
    names, outside = files_of(left_behind), tmp_path / "outside"
    refused = {}
    for name in ("keys", "tokens"):
        work = tmp_path / name / "data"
        shutil.copytree(left_behind, work)
        outside.write_text("")
        for file in names:
            if make is not link or str(file) != "latchkey.db":  # which an operator may have on another disk
                (work / file).unlink()
                make(work / file, outside)
        service = Service(name, work)
        service.launch = lambda service=service: launch_keeping_url(service)
        refused[name] = set()
        while (said := start(service)) is not None:
            found = [file for file in names if f"{work / file}: " in said]
            assert found and service.process.returncode == 1, said
            refused[name].add(str(found[-1]))
            put_back(work / found[-1], left_behind / found[-1])
        service.signal(signal.SIGTERM)
        assert service.process.wait(timeout=300) == 0, service.tail()
        assert outside.read_text() == "", "somebody wrote where a link led"
    assert refused["keys"] and refused["tokens"]
    if make is not directory:  # which nobody takes away who does not know what is in it
        assert not MADE_AGAIN & (refused["keys"] | refused["tokens"])


def launch_keeping_url(service):
    with open(service.log, "ab") as log:
        service.process = subprocess.Popen([BINARY, service.name], env={**clean_environment(), **service.settings},
                                           stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    return service


def put_back(path, good):
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    shutil.copy2(good, path)


@pytest.mark.parametrize("setting", ["LATCHKEY_CONFIG", "LATCHKEY_CATALOG", "LATCHKEY_ADMIN_KEYS", "LATCHKEY_ADMIN_SECRET_FILE",
                                     "LATCHKEY_TLS_CERT"])
def test_files_that_settings_name(tmp_path, setting):
    os.mkfifo(tmp_path / "fifo")
    environment = {**clean_environment(), "LATCHKEY_DATA_DIR": str(tmp_path / "data"), setting: str(tmp_path / "fifo")}
    if setting == "LATCHKEY_TLS_CERT":
        environment["LATCHKEY_TLS_KEY"] = str(tmp_path / "fifo")
    for command in (("keys", "--check-config"), ("up",)):
        done = subprocess.run([BINARY, *command], env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 2 and f"{tmp_path / 'fifo'}: it is a FIFO, not a regular file" in done.stderr, done


def test_a_token_may_come_through_a_pipe(shared):
    """As of `--token-file <(pass show admin)`: a person's command may wait for another."""
    token = shared.admin_token()
    script = f"{BINARY} key list --token-file <(echo {token})"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=300, check=False,
                          env={**clean_environment(), "LATCHKEY_DATA_DIR": str(shared.data_dir)})
    assert done.returncode == 0, done

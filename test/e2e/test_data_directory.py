"""Who may have the data directory: by who can read and write there."""

import contextlib
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile

import pytest

from latchkey import BINARY, Service, clean_environment, eventually

pytestmark = [pytest.mark.engines("sqlite", reason="about files"),
              pytest.mark.skipif(os.geteuid() != 0, reason="runs services as other users, which takes root")]

GROUP, FIRST, SECOND = 42_424, 31_001, 31_002


@pytest.fixture
def volume():
    """As an orchestrator mounts one: root's, given to a group."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="latchkey-volume-"))
    home.chmod(0o755)
    shutil.copy2(BINARY, home / "latchkey")  # others may not get at where it was built
    path = home / "data"
    path.mkdir()
    os.chown(path, 0, GROUP)
    path.chmod(0o2775)
    yield path
    shutil.rmtree(home)


class As(Service):
    """A service as a user of its own, in the group."""

    def __init__(self, uid, name, data_dir):
        super().__init__(name, data_dir)
        self.uid = uid
        self.log = data_dir.parent / f"{name}-{uid}.log"

    def launch(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.data_dir.parent / "latchkey", self.name], env={**clean_environment(), **self.settings}, stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, **as_user(self.uid))
        return self


def as_user(uid):
    return {"user": uid, "group": uid, "extra_groups": [GROUP]}


def mounted_again(volume):
    """What a kubelet does to every file of a volume with fsGroup, at each start of a pod."""
    for path in volume.rglob("*"):
        os.chown(path, -1, GROUP, follow_symlinks=False)
        mode = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode | (0o2770 if path.is_dir() else 0o660))


@contextlib.contextmanager
def running(uid, volume):
    services = [As(uid, name, volume) for name in ("keys", "tokens")]
    try:
        yield [service.start() for service in services]
    finally:
        for service in services:
            service.end()


def test_a_volume_that_was_given_to_a_group(volume):
    """Three lives: a fresh volume; mounted again; mounted again for another uid."""
    access_key = None
    for uid in (FIRST, FIRST, SECOND):
        with running(uid, volume) as (keys, tokens):
            token = subprocess.run([volume.parent / "latchkey", "admin-token"], env={**clean_environment(), **keys.settings}, check=True,
                                   capture_output=True, text=True, **as_user(uid)).stdout.strip()
            if access_key is None:
                made = keys.client(token)("POST", "/v1/keys", {"userId": "alice", "requestsPerMinute": 60})
                access_key = made.json()["accessKey"]
            assert keys.client(token)("GET", "/v1/keys").status == 200
            eventually(lambda tokens=tokens: tokens.client(access_key)("GET", "/v1/plan").status == 200)
        secrets = [path.stat() for path in (volume / "secrets").rglob("*") if path.is_file()]
        assert len(secrets) >= 3 and {(s.st_uid, stat.S_IMODE(s.st_mode)) for s in secrets} == {(uid, 0o600)}
        mounted_again(volume)


@pytest.mark.parametrize("owner, group, mode, why", [
    (0, GROUP, 0o2777, "can be written to by others (mode 2777)"),
    (0, 0, 0o770, "belongs to another user (uid 0, mode 0770), and no group of ours may write to it"),
    (SECOND, SECOND, 0o755, "belongs to another user (uid 31002, mode 0755)"),
    (SECOND, GROUP, 0o750, "belongs to another user (uid 31002, mode 0750)"),
    (FIRST, FIRST, 0o770, "can be written to by others (mode 0770)")])
def test_what_others_may_write_to_is_refused_with_the_remedy(volume, owner, group, mode, why):
    os.chown(volume, owner, group)
    volume.chmod(mode)
    environment = {**clean_environment(), "LATCHKEY_DATA_DIR": str(volume)}
    done = subprocess.run([volume.parent / "latchkey", "keys"], env=environment, capture_output=True, text=True, timeout=300, check=False, **as_user(FIRST))
    assert done.returncode == 1 and why in done.stderr and "run: " in done.stderr, done
    assert not list(volume.iterdir())

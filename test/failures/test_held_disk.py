"""Disks that fail and directories that are swapped, as they were tried and held: nothing acknowledged is lost, and no limit is
forgotten."""

import json
import os
import shutil
import subprocess

import pytest

from lab import cli
from load import Caller
from turns import eventually


class Home:
    """Both services on one directory; keys are made and asked for by hand."""

    def __init__(self, lab, data, **environment):
        self.manager = lab.manager("home", data=data, **environment)
        self.replica = lab.replica("replica", data=data, **environment)

    def start(self):
        self.manager.start(), self.replica.start()
        self.token = cli(self.manager, "admin-token", "--ttl", "24h").stdout.strip()
        return self

    def create(self, user="u", limit=10, **more):
        status, _, body = Caller(self.manager)("POST", "/v1/keys", self.token, {"userId": user, "requestsPerMinute": limit, **more})
        return status, json.loads(body) if status == 201 else None

    def made(self, limit=10):
        return eventually(lambda: self.create(limit=limit)[1])

    def has(self, key_id):
        return eventually(lambda: Caller(self.manager)("GET", f"/v1/keys/{key_id}", self.token)[0] in (200, 404)) and \
            Caller(self.manager)("GET", f"/v1/keys/{key_id}", self.token)[0] == 200

    def ask(self, access_key):
        return Caller(self.replica)("GET", "/v1/authorize", access_key)[0]


@pytest.mark.parametrize("nth", [29, 97])  # a command takes about eight writes
def test_writes_that_find_the_disk_full_now_and_then(lab, nth):
    """A command is done or it is 503; after kill -9 what was done is there, and the log is dense."""
    machine = lab.machine()
    home = Home(lab, lab.home / "home" / "data").start()
    home.manager.stop()
    home.manager.settings |= machine.environment
    home.manager.start()
    machine.pwrite(nth)
    outcomes = [home.create(metadata={"filler": "x" * 900}) for _ in range(120)]
    assert {status for status, _ in outcomes} == {201, 503}, "else it proves nothing"
    done = [made["key"]["keyId"] for status, made in outcomes if status == 201]
    home.manager.kill()
    machine.pwrite(0)
    home.manager.start()
    assert all(home.has(key_id) for key_id in done)
    database = home.manager.data_dir / "latchkey.db"
    said = subprocess.run(["sqlite3", database, "PRAGMA integrity_check; SELECT count(*) = max(seq) FROM changes"], capture_output=True,
                          text=True, check=True).stdout.split()
    assert said == ["ok", "1"], said
    print(f"one of {nth} writes: {len(done)} of {len(outcomes)} done, 0 missing")


def fill(folder, leave):
    """Until so many octets are left."""
    with open(folder / "filler", "wb", buffering=0) as file:
        try:
            while os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize > leave:
                file.write(bytes(4096))
        except OSError:
            pass


def test_a_first_start_on_a_disk_that_is_nearly_full(lab):
    """The limits reach nowhere on the disk; they hold all the same, and over kill -9."""
    disk = lab.file_system("small", megabytes=8)
    home = Home(lab, disk / "data")
    home.manager.start()
    home.token = cli(home.manager, "admin-token", "--ttl", "24h").stdout.strip()
    made = home.made(limit=5)
    fill(disk, leave=600_000)  # less than a first extent of the limits' file takes
    home.replica.start()
    eventually(lambda: home.ask(made["accessKey"]) == 200)
    statuses = [home.ask(made["accessKey"]) for _ in range(11)]
    assert statuses.count(200) == 4 and set(statuses) == {200, 429}, statuses
    home.replica.kill()
    home.replica.start("listening")
    again = [home.ask(made["accessKey"]) for _ in range(20)]
    assert 200 not in again, again


def test_the_data_directory_is_swapped_for_a_copy(lab):
    """While the replica runs: whoever goes on in the copy is another, and the one in the old directory refuses."""
    data = lab.home / "home" / "data"
    home = Home(lab, data).start()
    made = home.made(limit=1_000_000)
    eventually(lambda: home.ask(made["accessKey"]) == 200)
    home.manager.stop()
    shutil.copytree(data, data.with_name("copy"))
    data.rename(data.with_name("away"))
    data.with_name("copy").rename(data)
    home.manager.start()
    status, _, body = Caller(home.manager)("PATCH", f"/v1/keys/{made['key']['keyId']}?wait=enforced&timeout=60s", home.token,
                                           {"disabled": True})
    told = json.loads(body)
    assert status in (200, 202), told
    if status == 200:
        assert all(home.ask(made["accessKey"]) != 200 for _ in range(20)), "confirmed, and admitted by the one that has the old directory"
    eventually(lambda: home.ask(made["accessKey"]) != 200)


@pytest.mark.parametrize("days", [1, -1])
def test_the_wall_clock_steps_by_a_day(lab, days):
    """Ten of ten in all: limits ask no wall clock."""
    machine = lab.machine()
    home = Home(lab, lab.home / "home" / "data")
    home.replica.settings |= machine.environment
    home.start()
    made = home.made(limit=10)
    eventually(lambda: home.ask(made["accessKey"]) == 200)
    before = [home.ask(made["accessKey"]) for _ in range(4)]
    machine.wall(days * 86_400)
    after = [home.ask(made["accessKey"]) for _ in range(20)]
    assert [200, *before, *after].count(200) == 10 and set(after) == {200, 429}, (before, after)

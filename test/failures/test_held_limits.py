"""Attacks on the shared and the local limiter that were tried and held; none may admit more than the limit in any minute."""

import itertools
import json
import os
import signal
import time

import pytest

from load import Caller
from turns import eventually


def used_up(watch, replica, name):
    watch.until(replica, 429, key=name)


def test_scripts_flushed_connections_killed_and_a_replica_stopped(lab, direct):
    """Beside it the wall clock plays no part (test_rules.py)."""
    with lab.watch([direct.manager], direct.replicas, limits=(3, 40, 400), rate=60) as watch:
        begun = time.monotonic()
        while time.monotonic() < begun + 66:
            direct.redis.cli("SCRIPT", "FLUSH")
            direct.redis.cli("CLIENT", "KILL", "TYPE", "normal")
            direct.replicas[0].signal(signal.SIGSTOP)
            watch.wait(1.5)
            direct.replicas[0].signal(signal.SIGCONT)
            watch.wait(2)
        watch.confirm()


def test_a_record_of_redis_that_is_deleted_is_no_new_limit(lab, direct):
    """What its only replica knows it goes on knowing; others would be granted it anew."""
    with lab.watch([direct.manager], direct.replicas[:1], limits=(20,)) as watch:
        for replica in direct.replicas[:1]:
            used_up(watch, replica, "limit-20")
        assert direct.redis.cli("DEL", f"latchkey:limit:key:{watch.ids['limit-20']}") == "1"
        deleted = time.monotonic()
        watch.wait(3)
        for replica in direct.replicas[:1]:
            assert watch.asked(replica, since=deleted, key="limit-20", status=429)
            assert not watch.asked(replica, since=deleted, key="limit-20", status=200)
        watch.confirm()


@pytest.mark.promises("A record that is broken refuses its own key", "Delete none by hand")
def test_a_broken_record_begins_anew_by_itself(lab, direct):
    """After 62 s, when there is nothing to forget; before, and by hand, it would grant twenty more."""
    with lab.watch([direct.manager], direct.replicas, limits=(20,)) as watch:
        first, second = direct.replicas
        used_up(watch, first, "limit-20")
        record = f"latchkey:limit:key:{watch.ids['limit-20']}"
        broken = time.monotonic()
        direct.redis.cli("HSET", record, "foo", "bar")
        eventually(lambda: any(f"what stands at {record}" in replica.tail() for replica in (first, second)))
        watch.until(second, 200, key="limit-20")
        assert not watch.asked(first, since=broken + 2, until=broken + 58, key="limit-20", status=200)
        assert not watch.asked(second, since=broken + 2, until=broken + 58, key="limit-20", status=200)
        assert direct.redis.cli("HEXISTS", record, "foo") == "0"
        watch.until(second, 429, key="limit-20")
        watch.wait(3)
        watch.confirm()


def test_the_disk_of_all_is_full_and_freed_again(lab):
    """Embedded: the file system of the database, the limits and the log. What was acknowledged is there after kill -9."""
    home = lab.file_system("small", megabytes=24)
    manager = lab.manager("home", data=home / "data").start()
    replica = lab.replica("replica", data=home / "data").start()
    with lab.watch([manager], [replica]) as watch:
        admin = watch.admins[0]
        with open(home / "filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

        def create():
            body = {"userId": "u", "requestsPerMinute": 10, "metadata": {"filler": "x" * 900}}
            return Caller(manager)("POST", "/v1/keys", admin.token, body)[0]
        eventually(lambda: create() == 503)
        watch.wait(3)
        os.unlink(home / "filler")
        eventually(lambda: create() == 201)
        manager.kill(), replica.kill()
        manager.start(), replica.start()
        watch.until(replica, 200)
        watch.confirm()


def test_the_boot_clock_steps(lab):
    """Forward: refused until everything is proven anew. Back: refused while it is behind, never more admitted."""
    preload = lab.machine()
    manager = lab.manager("home").start()
    replica = lab.replica("replica", data=manager.data_dir, **preload.environment).start()
    with lab.watch([manager], [replica], limits=(5, 40)) as watch:
        used_up(watch, replica, "limit-5")
        caller, hours = Caller(replica), itertools.count(1)

        def is_refused_after_a_step():
            """Until it is proven anew that the view is current, which a request may be too late to see."""
            preload.boot(3600 * next(hours))
            return any(caller("GET", "/v1/authorize", watch.load.keys["free"])[0] == 503 for _ in range(200))
        eventually(is_refused_after_a_step, pause=1)
        watch.until(replica, 200)
        watch.limits = {}  # hours have passed by its clock
        preload.boot(0)
        behind = time.monotonic()
        watch.wait(3)
        assert {r.status for r in watch.asked(replica, since=behind + 1)} <= {503, 0}
        preload.boot(3600 * next(hours))
        watch.until(replica, 200)
        watch.confirm()


@pytest.mark.parametrize("fault", ["slow", "EIO"])
def test_fsync_fails_or_takes_a_second(lab, fault):
    """503, or late; and nothing acknowledged is missing after kill -9."""
    preload = lab.machine()
    manager = lab.manager("home", **preload.environment).start()
    replica = lab.replica("replica", data=manager.data_dir).start()
    with lab.watch([manager], [replica], limits=()) as watch:
        preload.fsync(fault)
        admin, made, statuses = watch.admins[0], [], set()
        end = time.monotonic() + 10
        while time.monotonic() < end:
            status, _, body = Caller(manager)("POST", "/v1/keys", admin.token, {"userId": "u", "requestsPerMinute": 10})
            statuses.add(status)
            if status == 201:
                made.append(json.loads(body)["key"]["keyId"])
        manager.kill()
        preload.fsync("")
        manager.start()
        assert statuses <= {201, 503}, statuses
        assert [key for key in made if admin.shown(key) is None] == []
        print(f"fsync {fault}: {len(made)} acknowledged, 0 missing, {statuses}")
        watch.confirm()

"""What holds in every topology, of confirmations, clocks and upgrades."""

import json
import shutil
import signal
import subprocess
import time

import pytest

from cluster import either
from lab import cli
from load import Caller
from turns import eventually

promises = pytest.mark.promises


@promises("`latchkey key disable ID --wait` returns when", "A replica that is cut off therefore delays")
def test_the_command_line_says_of_each_replica_why_it_is_safe(lab, region):
    applied, stalled, stopped = region.replicas
    with lab.watch([region.manager], [applied, stalled]) as watch:
        stopped.stop()
        stalled.signal(signal.SIGSTOP)
        begun = time.monotonic()
        done = cli(region.manager, "key", "disable", watch.ids["spare-0"], "--yes", "--wait")
        took = time.monotonic() - begun
        stalled.signal(signal.SIGCONT)
        said = sorted(line.split()[-1] for line in done.stderr.splitlines() if "replica-" in line)
        # One that stopped is remembered for a while only.
        assert "Enforced at every replica." in done.stderr and set(said) - {"stopped"} == {"applied", "fenced"}, done.stderr
        slowest = max(r.answered - r.sent for r in watch.asked(applied, since=begun))
        assert took < lab.staleness + 3 or slowest > 1, f"S is {lab.staleness} s, it took {took:.1f} s"
        after = begun + took
        watch.until(stalled, 200)
        for replica in (applied, stalled):
            assert not watch.asked(replica, since=after, key="spare-0", status=200)
        watch.admins[0].set_disabled("spare-0", watch.ids["spare-0"], True)
        watch.confirm()
        stopped.start()


@promises("1. `latchkey store backup", "1. Stop `latchkey tokens`", "While one runs, the next step refuses", "2. `latchkey store restore",
          "3. On a new machine", "4. Start `latchkey keys`, then relays", "Each loads anew.")
@pytest.mark.parametrize("machine", ["same", "new"])
def test_the_embedded_store_is_backed_up_and_restored_as_documented(lab, machine):
    manager = lab.manager("home").start()
    replica = lab.replica("replica", data=manager.data_dir).start()
    backup = lab.home / "monday.db"
    with lab.watch([manager], [replica], loses=True) as watch:
        cli(manager, "store", "backup", backup)
        shutil.copytree(manager.data_dir / "secrets" / "signing", lab.home / "signing")
        watch.confirm()
        assert cli(manager, "store", "restore", backup, check=False).returncode != 0, "both run"
        watch.confirm()
        watch.stop()
        manager.stop(), replica.stop()
        if machine == "new":
            shutil.rmtree(manager.data_dir)
            (manager.data_dir / "secrets").mkdir(parents=True, mode=0o700)
            manager.data_dir.chmod(0o700)
            shutil.copytree(lab.home / "signing", manager.data_dir / "secrets" / "signing")
        cli(manager, "store", "restore", backup)
        manager.start(), replica.start()
        if machine == "new":  # another admin key came with the directory
            watch.admins[0].token = cli(manager, "admin-token", "--ttl", "24h").stdout.strip()
        eventually(lambda: Caller(replica)("GET", "/v1/plan", watch.load.keys["free"])[0] == 200)


@promises("**Without these commands.** In whatever way a backup of the embedded store is put back", "The log says so.")
@pytest.mark.parametrize("way", ["moved", "copied", "restored"])
@pytest.mark.parametrize("running", [False, True])
def test_a_backup_of_the_sqlite_file_is_put_back(lab, way, running):
    manager = lab.manager("home").start()
    replica = lab.replica("replica", data=manager.data_dir).start()
    path, copy = manager.data_dir / "latchkey.db", lab.home / "copy.db"

    def ask(target):
        return Caller(manager)("GET", target, cli(manager, "admin-token").stdout.strip())

    def position():
        return json.loads(ask("/v1/replicas")[2])["position"]
    with lab.watch([manager], [replica], loses=True) as watch:
        subprocess.run(["sqlite3", path, f".backup {copy}"], check=True)
        watch.confirm()
        watch.stop()
        before = position()
        if not running:
            manager.stop(), replica.stop()
        if way == "restored":
            subprocess.run(["sqlite3", "-cmd", ".timeout 10000", path, f".restore {copy}"], check=True)
        elif way == "copied":
            shutil.copyfile(copy, path)
        else:
            copy.rename(path)
        if not running:
            manager.start(), replica.start()
        eventually(lambda: ask(f"/v1/changes?after={before}")[0] == 410)
        eventually(lambda: Caller(replica)("GET", "/v1/plan", watch.load.keys["free"])[0] == 200)
        assert position().split(".")[0] != before.split(".")[0]


@promises("A data directory belongs to one process of a kind")
def test_a_second_process_of_a_kind_does_not_start(lab):
    manager = lab.manager("home").start()
    replica = lab.replica("replica", data=manager.data_dir).start()
    for name, port in (("keys", "LATCHKEY_KEYS_LISTEN"), ("tokens", "LATCHKEY_TOKENS_LISTEN")):
        second = cli(manager, name, f"--{port.removeprefix('LATCHKEY_').lower().replace('_', '-')}", "127.0.0.1:0", check=False)
        assert second.returncode != 0 and "runs on" in second.stderr, second.stderr
    with lab.watch([manager], [replica]) as watch:
        watch.confirm()


@promises("The private signing keys are files below", "Back them up with the database")
@pytest.mark.short
def test_the_signing_keys_are_lost(lab):
    manager = lab.manager("home").start()
    replica = lab.replica("replica", data=manager.data_dir).start()
    with lab.watch([manager], [replica]) as watch:
        manager.stop()
        shutil.move(manager.data_dir / "secrets" / "signing", lab.home / "signing")
        lost = time.monotonic()
        assert manager.launch().process.wait(timeout=300) == 1
        assert "the private half of signing key" in manager.tail()
        watch.until(replica, 200)
        watch.undisturbed(replica, lost)
        shutil.copytree(lab.home / "signing", manager.data_dir / "secrets" / "signing", dirs_exist_ok=True)
        manager.start()
        watch.confirm()


@promises("clock of a replica steps", "Expiry uses each replica's wall clock", "A clock that is ahead only refuses sooner")
def test_the_clock_of_a_replica_steps(lab):
    machine = lab.machine()
    primary, redis = lab.postgres(), lab.redis("redis")
    standby = lab.postgres(follows=(primary, primary.port))
    manager = lab.manager("manager", LATCHKEY_STORE=primary.url()).start()
    clock = {**machine.environment, "LATCHKEY_LIMITER": redis.url}
    near = lab.replica("near", LATCHKEY_STORE=primary.url(), **clock).start()
    far = lab.replica("far", LATCHKEY_STORE=either(standby, primary), **clock).start()
    with lab.watch([manager], [near, far]) as watch:
        status, _, body = Caller(manager)("POST", "/v1/keys", watch.admins[0].token,
                                          {"userId": "u", "requestsPerMinute": 1000, "expiresIn": "30m"})
        assert status == 201, body
        watch.load.keys["half-an-hour"] = json.loads(body)["accessKey"]
        watch.until(near, 200, key="half-an-hour")
        machine.wall(3600)
        assert watch.until(near, 401, key="half-an-hour").problem == "key-expired"
        assert watch.until(far, 503).problem == "stale-view", "the beats on the standby look an hour old"
        watch.confirm()
        machine.wall(-3600)
        watch.until(near, 200, key="half-an-hour")
        watch.until(far, 200)
        watch.wait(5)
        machine.wall(0)
        watch.wait(2)
        watch.confirm()


@promises("Schema migrations run when a management service starts")
def test_four_management_services_start_at_once(lab):
    postgres = lab.postgres()
    managers = [lab.manager(f"manager-{number}", LATCHKEY_STORE=postgres.url()).launch() for number in range(4)]
    for manager in managers:
        manager.started()
    replica = lab.replica("replica", LATCHKEY_STORE=postgres.url()).start()
    with lab.watch(managers, [replica], limits=()) as watch:
        watch.confirm()
    assert postgres.sql("SELECT max(seq) = count(*) FROM changes") == "t", "dense"


@promises("Replicas refuse a store that is newer")
def test_a_replica_refuses_a_newer_store(lab):
    postgres = lab.postgres()
    manager = lab.manager("manager", LATCHKEY_STORE=postgres.url()).start()
    replica = lab.replica("replica", LATCHKEY_STORE=postgres.url()).start()
    with lab.watch([manager], [replica]) as watch:
        watch.confirm()
    postgres.sql("UPDATE meta SET schema_version = schema_version + 1000")
    replica.stop()
    replica.launch()
    time.sleep(2)
    assert replica.process.poll() is not None or not replica.ready()

"""The database dies, is replaced, restored, or fails over."""

import json
import os
import time

import pytest

from cluster import either
from load import Caller
from stores import SqliteFile
from turns import eventually

promises = pytest.mark.promises


class Embedded:
    """One directory for both services."""

    def __init__(self, lab):
        self.manager = lab.manager("home").start()
        self.replica = lab.replica("replica", data=self.manager.data_dir).start()
        self.store = SqliteFile(self.manager.data_dir)


def position_of(watch):
    """Where the store's log ends."""
    admin = watch.admins[0]

    def end():
        status, _, body = Caller(admin.manager)("GET", "/v1/replicas", admin.token)
        return json.loads(body)["position"] if status == 200 else None
    return eventually(end)


def epoch_of(replica):
    """Of the view that it decides by; None while it has none."""
    status, _, body = Caller(replica)("GET", "/readyz", "")
    return json.loads(body)["position"].split(".")[0] if status == 200 else None


def changes_after(watch, position):
    admin = watch.admins[0]
    return Caller(admin.manager)("GET", f"/v1/changes?after={position}", admin.token)[0]


@promises("SQLite file replaced, written over or put back")
@pytest.mark.short
def test_the_sqlite_file_is_replaced(lab):
    home = Embedded(lab)
    with lab.watch([home.manager], [home.replica], loses=True) as watch:
        restore = home.store.backup()
        watch.confirm()
        before = position_of(watch)
        restore()
        watch.until(home.replica, 200)
        watch.confirm()
        assert position_of(watch).split(".")[0] != before.split(".")[0], "a new epoch"
        assert changes_after(watch, before) == 410


@promises("PostgreSQL", "When PostgreSQL has been restarted, restored or failed over")
def test_postgresql_is_away_and_comes_back(lab, direct):
    with lab.watch([direct.manager], direct.replicas) as watch:
        direct.postgres.kill()
        died = time.monotonic()
        assert watch.disable().status in (0, 503)
        for replica in direct.replicas:
            assert watch.asked(replica, since=died, status=200), "served until its view was too old"
            watch.fenced(replica, died)
        restarted = time.monotonic()
        direct.postgres.start()
        for replica in direct.replicas:
            watch.until(replica, 200)
        watch.confirm()
        nothing_was_confirmed(watch, restarted, lab.staleness)


def nothing_was_confirmed(watch, since, seconds):
    early = [c for c in watch.commands if c.disabled and c.confirmed and since < c.answered < since + seconds]
    assert not early, early


@promises("PostgreSQL restored from a backup")
@pytest.mark.parametrize("way", ["files", "timeline"])
def test_postgresql_is_restored_from_a_backup(lab, direct, way):
    watch = lab.watch([direct.manager], direct.replicas, limits=(30, 4), loses=True)
    with watch:
        restore = direct.postgres.backup() if way == "files" else direct.postgres.backup_for_recovery()
        admin = watch.admins[0]
        for name, limit in (("limit-30", 4), ("limit-4", 30)):
            body = {"requestsPerMinute": limit}
            assert Caller(direct.manager)("PATCH", f"/v1/keys/{watch.ids[name]}", admin.token, body)[0] == 200
        watch.limits = {"limit-30": 30, "limit-4": 30}
        watch.confirm()
        before = position_of(watch)
        restore()
        restored = time.monotonic()
        for replica in direct.replicas:  # until it reads, what it has is as young as S, and counts
            eventually(lambda r=replica: epoch_of(r) not in (None, before.split(".")[0]))
        noticed = time.monotonic()
        for replica in direct.replicas:
            watch.until(replica, 200)
        nothing_was_confirmed(watch, restored, 0)
        assert eventually(lambda: changes_after(watch, before) == 410)
        watch.wait(max(0, restored + 58 - time.monotonic()))
        for name in ("limit-30", "limit-4"):
            admitted = [r for replica in direct.replicas
                        for r in watch.asked(replica, since=noticed, until=restored + 58, key=name, status=200)]
            assert len(admitted) <= 4, (name, len(admitted), "the lower of both for 61 s")
        watch.confirm()


class Pair:
    """A primary and its standby, whose replication a proxy can cut; all services know both."""

    def __init__(self, lab, **names):
        self.primary = lab.postgres()
        self.link = lab.proxy(self.primary)
        self.standby = lab.postgres(follows=(self.primary, self.link.port), name="standby")
        self.url = either(self.primary, self.standby)
        self.manager = lab.manager("manager", LATCHKEY_STORE=self.url).start()


@promises("PostgreSQL failed over to a standby, the old primary dead", "A request that waits for longer than that gets 200 then")
def test_postgresql_fails_over(lab):
    """Asynchronous replication may lose what it had not sent; what is confirmed stays true."""
    pair = Pair(lab)
    replica = lab.replica("replica", LATCHKEY_STORE=pair.url).start()
    with lab.watch([pair.manager], [replica], loses=True) as watch:
        watch.confirm()
        pair.primary.kill()
        died = time.monotonic()
        pair.standby.promote()
        watch.until(replica, 200)
        watch.confirm()
        nothing_was_confirmed(watch, died, lab.staleness)


@promises("a synchronous standby")
def test_a_synchronous_standby_is_lost(lab):
    """No command is acknowledged that the standby may not have; once it is back, all is."""
    pair = Pair(lab)
    pair.primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
    pair.primary.sql("SELECT pg_reload_conf()")
    eventually(lambda: pair.primary.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1")
    replica = lab.replica("replica", LATCHKEY_STORE=pair.url).start()
    with lab.watch([pair.manager], [replica]) as watch:
        watch.confirm()
        pair.link.silence()
        silent = time.monotonic()
        lost = watch.disable()
        assert lost.status in (0, 503), lost
        watch.wait(2)
        assert not [c for c in watch.commands if c.sent > silent + 0.1 and c.status in (200, 202)]
        pair.link.heal()
        watch.until(replica, 200)
        watch.confirm()


@promises("So a standby that receives nothing is refused", "Management services write the primary's time")
def test_a_standby_that_receives_nothing_is_refused(lab):
    pair = Pair(lab)
    near = lab.replica("near", LATCHKEY_STORE=pair.url).start()
    far = lab.replica("far", LATCHKEY_STORE=either(pair.standby, pair.primary)).start()
    with lab.watch([pair.manager], [near, far], limits=()) as watch:
        pair.link.silence()
        silent = time.monotonic()
        outcomes = watch.confirm().outcomes
        assert sorted(outcomes) == ["applied", "fenced"], outcomes
        watch.fenced(far, silent)
        watch.undisturbed(near, silent)
        pair.link.heal()
        watch.until(far, 200)
        watch.confirm()


@promises("A relay's URL leads to the primary")
def test_a_relay_of_a_standby_passes_on_no_heartbeat(lab):
    pair = Pair(lab)
    redis = lab.redis("redis")
    stream = {"LATCHKEY_STREAM": redis.url}
    relay = lab.relay("relay", LATCHKEY_STORE=pair.url, **stream).start()
    replica = lab.replica("replica", LATCHKEY_LIMITER=redis.url, **stream).start()
    with lab.watch([pair.manager], [replica]) as watch:
        relay.kill()
        stopped = time.monotonic()
        wrong = lab.relay("wrong", LATCHKEY_STORE=pair.standby.url(), **stream).launch()
        watch.fenced(replica, stopped)
        watch.wait(lab.staleness)
        assert not watch.asked(replica, since=stopped + lab.staleness, status=200)
        wrong.kill()
        relay.start()
        watch.until(replica, 200)
        watch.confirm()


@promises("With the embedded store and a relay the same holds")
def test_an_embedded_store_and_a_relay(lab):
    """After each start of the management service nothing is confirmed for S."""
    redis = lab.redis("redis")
    stream = {"LATCHKEY_STREAM": redis.url}
    manager = lab.manager("home").start()
    relay = lab.keep_relay_of(manager, **stream)
    relay.start()
    replica = lab.replica("far", LATCHKEY_LIMITER=redis.url, **stream).start()
    with lab.watch([manager], [replica]) as watch:
        watch.confirm()
        manager.kill()
        killed = time.monotonic()
        manager.start()
        watch.confirm()
        nothing_was_confirmed(watch, killed, lab.staleness)


@promises("For that a replica must be able to say that it serves")
def test_a_role_that_may_not_write_its_report_serves_nobody(lab):
    postgres = lab.postgres()
    manager = lab.manager("manager", LATCHKEY_STORE=postgres.url()).start()
    postgres.sql("CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    replica = lab.replica("replica", LATCHKEY_STORE=postgres.url().replace("latchkey@", "reader@")).start(wait="listens")

    def state():
        return json.loads(Caller(replica)("GET", "/readyz", "")[2]).get("state")
    eventually(lambda: state() == "unregistered")
    assert "permission denied for table replicas" in replica.tail()
    postgres.sql("GRANT INSERT, UPDATE ON replicas TO reader")
    eventually(replica.ready)
    with lab.watch([manager], [replica]) as watch:
        watch.confirm()


@promises("disk of a replica full")
def test_the_disk_of_a_replica_is_full(lab):
    """A file system of its own, which is filled while it serves."""
    postgres = lab.postgres()
    manager = lab.manager("manager", LATCHKEY_STORE=postgres.url()).start()
    home = lab.file_system("small", megabytes=24)
    replica = lab.replica("replica", data=home / "data", LATCHKEY_STORE=postgres.url(), LATCHKEY_REQUEST_LOG_MAX_BYTES="65536").start()
    with lab.watch([manager], [replica]) as watch:
        begun = time.monotonic()
        filler = home / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        eventually(lambda: replica.metric("latchkey_request_log_dropped_total") > 0)
        watch.confirm()
        watch.undisturbed(replica, begun)
        os.unlink(filler)
        watch.wait(1)
        watch.confirm()
        watch.undisturbed(replica, begun)

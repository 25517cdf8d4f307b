"""Two databases say that they are the store: a split brain, a dump in another database, files put back."""

import time

import pytest

from cluster import either
from test_stores_die import Pair, nothing_was_confirmed, position_of
from turns import eventually

promises = pytest.mark.promises


@promises("PostgreSQL split brain: a standby was promoted and the old primary lives on", "**What PostgreSQL's own fencing has to do.**",
          "One that is known to follow another life", "So at most one primary may be reachable")
def test_the_old_primary_lives_on(lab):
    """The management service follows the promoted standby, the replica the old primary: nothing is confirmed as long as it
    admits by that. Then the old primary is fenced."""
    pair = Pair(lab)
    route = lab.proxy(pair.primary)
    manager = lab.manager("manager-2", LATCHKEY_STORE=either(route, pair.standby)).start()
    replica = lab.replica("replica", LATCHKEY_STORE=pair.url).start()
    with lab.watch([manager], [replica], loses=True) as watch:
        watch.confirm()
        pair.link.cut()
        pair.standby.promote()
        route.lead_to(pair.standby.port)
        begun = time.monotonic()
        told = eventually(lambda: is_acknowledged(watch.disable(timeout="25s")))
        assert not told.confirmed, told
        assert watch.asked(replica, since=told.answered - 1, status=200), "it goes on by the old primary"
        watch.wait(lab.staleness)
        assert not watch.disable(timeout="5s").confirmed
        nothing_was_confirmed(watch, begun + 1, 3600)
        watch.enable()
        pair.primary.kill()
        watch.until(replica, 200)
        watch.confirm()


def is_acknowledged(command):
    return command if command.status in (200, 202) else None


@promises("PostgreSQL split brain: a standby was promoted and the old primary lives on")
def test_each_primary_has_a_relay(lab):
    """Both write to one Redis: the newer life wins, and no confirmation is false."""
    pair = Pair(lab)
    route = lab.proxy(pair.primary)
    redis = lab.redis("redis")
    stream = {"LATCHKEY_STREAM": redis.url}
    both = {"LATCHKEY_STORE": either(route, pair.standby)}
    manager = lab.manager("manager-2", **both).start()
    lab.relay("old", LATCHKEY_STORE=pair.url, **stream).start()
    lab.relay("new", **both, **stream).start()
    replicas = [lab.replica(f"replica-{number}", LATCHKEY_LIMITER=redis.url, **stream).start() for number in (1, 2)]
    with lab.watch([manager], replicas, loses=True) as watch:
        watch.confirm()
        pair.link.cut()
        pair.standby.promote()
        route.lead_to(pair.standby.port)
        for _ in range(3):
            if watch.disable(timeout="20s").confirmed:
                watch.wait(2)
            watch.enable()
        pair.primary.kill()
        for replica in replicas:
            watch.until(replica, 200)
        watch.confirm()


@promises("A replica that had died shortly before a failover", "A row that was deleted by hand is remembered")
def test_a_replica_that_died_before_the_failover_is_deleted(lab):
    pair = Pair(lab)
    replica = lab.replica("replica", LATCHKEY_STORE=pair.url).start()
    dead = lab.replica("dead", LATCHKEY_STORE=pair.url).start()
    with lab.watch([pair.manager], [replica], limits=(), loses=True) as watch:
        watch.confirm()
        dead.kill()
        pair.primary.kill()
        pair.standby.promote()
        watch.until(replica, 200)
        watch.wait(lab.staleness + 1)
        told = eventually(lambda: is_acknowledged(watch.disable(timeout="5s")))
        assert not told.confirmed, told
        pair.standby.sql("DELETE FROM replicas WHERE name = 'dead'")
        pair.manager.kill()
        pair.manager.start()
        watch.confirm()


@promises("a dump restored into another database", "1. Backup: `pg_dump --format=custom", "2. Restore: stop all services", "The epoch is a new one.")
def test_a_dump_is_restored_into_another_database(lab):
    postgres = lab.postgres()
    manager = lab.manager("manager", LATCHKEY_STORE=postgres.url()).start()
    replica = lab.replica("replica", LATCHKEY_STORE=postgres.url()).start()
    with lab.watch([manager], [replica], loses=True) as watch:
        dump = postgres.folder / "monday.dump"
        postgres.run("pg_dump", "--format=custom", f"--file={dump}", postgres.url())
        watch.confirm()
        before = position_of(watch)
        manager.stop(), replica.stop()
        postgres.sql("CREATE DATABASE latchkey2")
        postgres.run("pg_restore", "--exit-on-error", f"--dbname={postgres.url('latchkey2')}", dump)
        postgres.sql("DELETE FROM replicas", "latchkey2")  # rows of the life before, which nobody tells from those that serve
        for service in (manager, replica):
            service.settings["LATCHKEY_STORE"] = postgres.url("latchkey2")
            service.start()
        watch.until(replica, 200)
        watch.confirm()
        assert position_of(watch).split(".")[0] != before.split(".")[0]


@promises("files of the data directory removed, replaced or put back from a copy", "With the embedded store and a relay the same holds")
def test_the_registry_is_removed(lab):
    """Nothing is confirmed for S, and the replica goes on."""
    manager = lab.manager("home").start()
    replica = lab.replica("replica", data=manager.data_dir).start()
    with lab.watch([manager], [replica]) as watch:
        watch.confirm()
        removed = time.monotonic()
        for file in manager.data_dir.glob("replicas.db*"):
            file.unlink()
        command = watch.confirm()
        assert command.outcomes == ("applied",), command
        nothing_was_confirmed(watch, removed + 0.5, lab.staleness - 1)
        watch.undisturbed(replica, removed)


@promises("How long it waits: `?wait=enforced` for 10 s", "A wait that is to end as `fenced` needs more than `S`")
@pytest.mark.short
def test_a_wait_that_ended_early_is_pending_and_goes_on_when_asked_again(lab):
    postgres = lab.postgres()
    manager = lab.manager("manager", LATCHKEY_STORE=postgres.url()).start()
    replica = lab.replica("replica", LATCHKEY_STORE=postgres.url()).start()
    with lab.watch([manager], [replica]) as watch:
        replica.kill()
        early = watch.disable(timeout="1s")
        assert (early.status, early.state, early.outcomes) == (202, "pending", ("waiting",)), early
        assert watch.disable().outcomes == ("fenced",)
        replica.start()

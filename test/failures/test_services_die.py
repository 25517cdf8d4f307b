"""A management service, a replica, a relay or the network between them dies."""

import signal
import time

import pytest

from cluster import either
from turns import eventually

promises = pytest.mark.promises


@promises("one relay of two")
@pytest.mark.short
def test_one_relay_of_two(lab, region):
    with lab.watch([region.manager], region.replicas) as watch:
        region.relays[0].kill()
        died = time.monotonic()
        assert set(watch.confirm().outcomes) == {"applied"}
        watch.wait(lab.staleness + 2)
        for replica in region.replicas:
            watch.undisturbed(replica, died)
        region.relays[0].start()
        assert set(watch.confirm().outcomes) == {"applied"}


@promises("all relays")
@pytest.mark.parametrize("way", ["killed", "stopped"])
def test_all_relays(lab, region, way):
    with lab.watch([region.manager], region.replicas) as watch:
        for relay in region.relays:
            relay.kill() if way == "killed" else relay.signal(signal.SIGSTOP)
        died = time.monotonic()
        assert set(watch.confirm().outcomes) == {"fenced"}
        for replica in region.replicas:
            assert watch.asked(replica, since=died, status=200), "served until its view was too old"
            watch.fenced(replica, died)
        region.relays[0].start() if way == "killed" else region.relays[0].signal(signal.SIGCONT)
        for replica in region.replicas:
            watch.until(replica, 200)
        eventually(lambda: set(watch.confirm().outcomes) == {"applied"})


@promises("a replica (kill -9)")
@pytest.mark.short
def test_a_replica_is_killed_and_comes_back(lab, region):
    killed, *others = region.replicas
    with lab.watch([region.manager], region.replicas) as watch:
        killed.kill()
        died = time.monotonic()
        command = watch.confirm()
        assert "fenced" in command.outcomes and command.outcomes.count("applied") == len(others), command
        for other in others:
            watch.undisturbed(other, died)
        killed.start()
        watch.until(killed, 200)
        eventually(lambda: watch.confirm().outcomes.count("applied") == len(region.replicas))


@promises("a replica (kill -9)")
def test_a_replica_is_back_within_the_staleness_from_its_own_file(lab, region):
    killed = region.replicas[0]
    with lab.watch([region.manager], region.replicas) as watch:
        watch.wait(2)  # a mark in its file each second
        killed.kill()
        killed.start()
        watch.until(killed, 200)
        assert "started from" in killed.tail(), killed.tail()


@promises("network between replica and all else")
@pytest.mark.parametrize("way", ["cut", "silence"])
def test_a_replica_is_cut_off_from_all_else(lab, region, way):
    *others, far = region.replicas
    with lab.watch([region.manager], region.replicas) as watch:
        getattr(region.proxy, way)()
        cut = time.monotonic()
        outcomes = watch.confirm().outcomes
        assert outcomes.count("fenced") == 1 and outcomes.count("applied") == len(others), outcomes
        watch.fenced(far, cut)
        for other in others:
            watch.undisturbed(other, cut)
        region.proxy.heal()
        watch.until(far, 200)
        eventually(lambda: set(watch.confirm().outcomes) == {"applied"})


@promises("management service")
def test_all_management_services_die(lab):
    """Replicas on the primary go on; one on a standby lacks the heartbeat."""
    primary = lab.postgres()
    standby = lab.postgres(follows=(primary, primary.port))
    managers = [lab.manager(name, LATCHKEY_STORE=primary.url()).start() for name in ("manager-1", "manager-2")]
    near = lab.replica("near", LATCHKEY_STORE=primary.url()).start()
    far = lab.replica("far", LATCHKEY_STORE=either(standby, primary)).start()
    with lab.watch(managers, [near, far], limits=()) as watch:
        for manager in managers:
            manager.kill()
        died = time.monotonic()
        watch.fenced(far, died)
        watch.undisturbed(near, died)
        assert watch.disable().status == 0, "connection refused"
        for manager in managers:
            manager.start()
        watch.until(far, 200)
        watch.confirm()


@promises("management service")
def test_one_management_service_is_cut_off(lab):
    postgres = lab.postgres()
    proxy = lab.proxy(postgres)
    managers = [lab.manager("manager-1", LATCHKEY_STORE=postgres.url()).start(),
                lab.manager("manager-2", LATCHKEY_STORE=postgres.url(port=proxy.port)).start()]
    replica = lab.replica("replica", LATCHKEY_STORE=postgres.url()).start()
    with lab.watch(managers, [replica]) as watch:
        begun = time.monotonic()
        for way in (proxy.cut, proxy.silence):
            way()
            assert watch.confirm(0).outcomes == ("applied",)
            eventually(lambda: watch.disable(1, timeout="1s").status in (503, 202))
            proxy.heal()
            watch.confirm(1)
        watch.undisturbed(replica, begun)

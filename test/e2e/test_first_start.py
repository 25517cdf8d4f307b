"""A first start in the other order: replicas and relays before the management service that makes the tables. Nothing is
wrong, so nothing is a warning: whoever needs the tables says once that it waits for them."""

import re
import time

import pytest

from latchkey import Service, eventually
from servers import Postgres

WAITS = "is not made yet"  # said once by each part that waits


def lines_of(service):
    return service.log.read_text().splitlines()


def alarms(service):
    """But of a Redis that a starved machine let answer late."""
    return [line for line in lines_of(service) if re.match(r"\S+ (warning|error) ", line) and "limiter" not in line]


@pytest.mark.engines("postgres", reason="about a server that is not there yet")
def test_a_management_service_waits_for_its_postgresql(tmp_path):
    """As relays and replicas do: after an outage nobody says who comes first."""
    server = Postgres()
    keys = Service("keys", tmp_path / "home" / "data", LATCHKEY_STORE=server.url())
    try:
        for ends in (True, False):
            keys.launch()
            eventually(lambda: "the database is not available, and it waits: " in keys.tail())
            if ends:
                assert keys.stop() == 0, "while it waits"
                keys.log.unlink()
        server.start()
        keys.started()
        assert len(alarms(keys)) == 1, keys.tail()
    finally:
        keys.end()
        server.end()


def test_whoever_comes_before_the_management_service_waits_quietly(idle_stack):
    for replica in idle_stack.replicas:
        replica.launch()
    for replica in idle_stack.replicas:
        replica.started("listens")
    time.sleep(2)  # every part has tried more often than it takes until a failure is worth a warning
    assert not any(replica.ready() for replica in idle_stack.replicas)
    eventually(lambda: all(WAITS in service.log.read_text() for service in idle_stack.readers))
    idle_stack.keys.start()
    eventually(idle_stack.tokens.ready)
    idle_stack.admitted_key()
    for service in idle_stack.processes:
        assert not alarms(service), service.tail()
        said = [line.split(" ", 2)[2] for line in lines_of(service) if WAITS in line]
        assert len(said) == len(set(said)), said

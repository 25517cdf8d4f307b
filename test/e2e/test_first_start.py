"""A first start in the other order: replicas and relays before the management service that makes the tables. Nothing is
wrong, so nothing is a warning: whoever needs the tables says once that it waits for them."""

import re
import time

from latchkey import eventually

WAITS = "is not made yet"  # said once by each part that waits


def lines_of(service):
    return service.log.read_text().splitlines()


def alarms(service):
    """But of a Redis that a starved machine let answer late."""
    return [line for line in lines_of(service) if re.match(r"\S+ (warning|error) ", line) and "limiter" not in line]


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

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "harness"))

from keyring import Revoked
from latchkey import LONG, Stack
from report import lines
from stores import ENGINES


def pytest_configure(config):
    config.addinivalue_line("markers", "engines(*names, reason, long=False): only for these pairings, and why; long: for all in the long campaign")
    config.addinivalue_line("markers", "promises(*beginnings): rows and sentences of docs/operations.md that the scenario holds")


def pytest_runtest_setup(item):
    for mark in item.iter_markers("engines"):
        if ENGINES not in mark.args and not (LONG and mark.kwargs.get("long")):
            pytest.skip(f"{', '.join(mark.args)} only: {mark.kwargs['reason']}")


def pytest_terminal_summary(terminalreporter):
    for line in lines():
        terminalreporter.write_line(line)


@pytest.fixture
def make_stack(tmp_path):
    """Makes stacks with settings of their own, not started yet, and ends them."""
    made = []

    def make(**settings):
        made.append(Stack(tmp_path, **settings))
        return made[-1]
    yield make
    for it in made:
        it.end()


@pytest.fixture
def idle_stack(make_stack):
    """Both services, not started yet."""
    return make_stack()


@pytest.fixture
def stack(idle_stack):
    """Both services, started."""
    return idle_stack.start()


@pytest.fixture
def revoked(stack):
    """Beside the test: a key whose revocation is enforced, and stays so."""
    it = Revoked(stack)
    yield it
    it.end()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Both services for all tests of a module that leave them as they found them."""
    it = Stack(tmp_path_factory.mktemp("shared"))
    try:
        yield it.start()
    finally:
        it.end()

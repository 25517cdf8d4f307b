import pytest

from latchkey import Stack
from stores import ENGINES


def pytest_configure(config):
    config.addinivalue_line("markers", "engines(name, reason): only for this pairing of engines, and why")


def pytest_runtest_setup(item):
    for mark in item.iter_markers("engines"):
        if mark.args[0] != ENGINES:
            pytest.skip(f"{mark.args[0]} only: {mark.kwargs['reason']}")


@pytest.fixture
def stack(tmp_path):
    """Both services, started."""
    it = Stack(tmp_path)
    yield it.start()
    it.end()


@pytest.fixture
def idle_stack(tmp_path):
    """Both services, not started yet."""
    it = Stack(tmp_path)
    yield it
    it.end()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Both services for all tests of a module that leave them as they found them."""
    it = Stack(tmp_path_factory.mktemp("shared")).start()
    yield it
    it.end()

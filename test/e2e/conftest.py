import pytest

from latchkey import Stack


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

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "harness"))

from latchkey import Stack


@pytest.fixture
def stack(tmp_path):
    """Both services, started."""
    it = Stack(tmp_path)
    try:
        yield it.start()
    finally:
        it.end()

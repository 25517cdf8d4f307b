"""SIGSTOP as a test means it."""

import contextlib
import os
import pathlib
import signal

from turns import eventually


def halt(pid):
    """Returns when no thread of the process runs any more. The signal alone is not it: one of them must take it first, and until
    a busy machine gives that one a core, the others go on."""
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: all(state in "TtZX" for state in states_of(pid)))


def states_of(pid):
    """One letter a thread; of one that has ended meanwhile none."""
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            yield task.read_text().rsplit(")", 1)[1].split()[0]

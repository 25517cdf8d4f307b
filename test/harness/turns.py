"""Requests are spread over the replicas of a pairing, and what is waited for must be seen at each of them."""

import threading
import time


class Turn(threading.local):
    """Each thread asks one replica after the other."""

    next = 0
    widest = 1  # of how many replicas the last check asked one

    def take(self, replicas):
        number, self.next = self.next % replicas, self.next + 1
        self.widest = max(self.widest, replicas)
        return number


turn = Turn()


def eventually(check, seconds=120.0, pause=0.002):
    """Polls until `check()` is true; generous, because it only bounds a failure. A check that asks replicas (Replicas.client)
    must come true at each: it is made as many times in a row as there are, each time beginning at the next one."""
    end = time.monotonic() + seconds
    first, row = turn.next, 0
    while True:
        turn.next, turn.widest = first + row, 1
        result = check()
        row = row + 1 if result else 0
        if row >= turn.widest:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {check}")
        if not result:
            time.sleep(pause)

"""What was recorded, judged afterwards. Pure: no clock, no server; test_judge.py has the tables."""

import bisect
import collections
import dataclasses

Request = collections.namedtuple("Request", "sent answered replica key status problem")  # status 0: no answer


@dataclasses.dataclass
class Command:
    """A key disabled or enabled by an admin. `state` and `outcomes` are the enforcement's, as the answer told it."""

    sent: float
    answered: float
    key: str
    disabled: bool
    status: int            # 0: no answer
    state: str = ""        # "confirmed", "pending", "unknown"
    outcomes: tuple = ()   # one a replica: "applied", "fenced", …
    detail: str = ""

    @property
    def confirmed(self):
        return self.status == 200 and self.state == "confirmed"


def most_in_any_minute(requests):
    """The most admissions that certainly lie within 60 s of each other. An admission happens between `sent` and `answered`,
    so those of one interval are sent after its first one was, and answered less than 60 s after that."""
    admitted = [r for r in requests if r.status == 200]
    answered = sorted(r.answered for r in admitted)
    by_sending = sorted(admitted, key=lambda r: r.sent)
    most = 0
    for i, first in enumerate(by_sending):
        # Whoever was sent before `first` and answered in time is none of the interval.
        earlier = sum(r.answered < first.sent + 60 for r in by_sending[:i])
        most = max(most, bisect.bisect_left(answered, first.sent + 60) - earlier)
    return most


def over_the_limit(requests, limits):
    """`limits`: key → requests a minute. Returns key → (most in a minute, limit) of those that had more."""
    by_key = collections.defaultdict(list)
    for request in requests:
        by_key[request.key].append(request)
    most = {key: most_in_any_minute(by_key[key]) for key in limits}
    return {key: (count, limits[key]) for key, count in most.items() if count > limits[key]}


def admitted_after_confirmation(requests, commands):
    """Admissions sent after a confirmed disabling and before the next command that enables the key was sent: [(command, request)]."""
    found = []
    for i, command in enumerate(commands):
        if not (command.disabled and command.confirmed):
            continue
        end = min((c.sent for c in commands if c.key == command.key and not c.disabled and c.sent > command.sent), default=float("inf"))
        found += [(command, r) for r in requests
                  if r.key == command.key and r.status == 200 and command.answered < r.sent < end]
    return found


def lost_commands(commands, disabled_in_store):
    """`disabled_in_store`: key → whether the store says so. A key may be as the last acknowledged command left it, or as any
    later one would, whose outcome nobody knows. Returns key → what the store says, of the others."""
    lost = {}
    for key, disabled in disabled_in_store.items():
        possible = set()
        for command in reversed([c for c in commands if c.key == key]):
            possible.add(command.disabled)
            if command.status in (200, 202):
                break
        else:
            possible.add(False)
        if disabled not in possible:
            lost[key] = disabled
    return lost

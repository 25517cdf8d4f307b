"""Real servers and the real services around one store, a load over them that is recorded, and the judges at the end."""

import contextlib
import pathlib
import subprocess
import time

import pytest

import judge
from cluster import NetworkPostgres
from load import Admin, Caller, Load
from preload import Machine
from proxy import Proxy
from servers import Redis
from services import BINARY, Relay, Service, clean_environment
from turns import eventually

FREE = 1_000_000  # requests a minute of a key that no test uses up


class Lab:
    """Parts are made by name and ended in the opposite order. Replicas refuse by a view older than `staleness` seconds."""

    def __init__(self, home, staleness=6):
        self.home, self.staleness, self.ends = pathlib.Path(home), staleness, contextlib.ExitStack()
        self.settings = {"LATCHKEY_MAX_STALENESS": f"{staleness}s"}

    def keep(self, part):
        self.ends.callback(part.end)
        return part

    def postgres(self, **options):
        return self.keep(NetworkPostgres(**options).start())

    def redis(self, name, *arguments, no_history=True):
        (self.home / name).mkdir()
        return self.keep(Redis(self.home / name, *arguments).start(no_history))

    def proxy(self, server):
        return self.keep(Proxy(server.port))

    def machine(self):
        """Whose clocks and disk a test has in its hand."""
        return Machine(self.home / "machine")

    def manager(self, name, data=None, **settings):
        return self.keep(Service("keys", data or self.home / name / "data", **self.settings, **settings))

    def relay(self, name, **settings):
        return self.keep(Relay(name, self.home / name / "data", **self.settings, **settings))

    def keep_relay_of(self, manager, **settings):
        """Of an embedded store: in its directory."""
        return self.keep(Relay("relay", manager.data_dir, **self.settings, **settings))

    def file_system(self, name, megabytes):
        """Of its own, so that it can be full; only root may make one."""
        folder = self.home / name
        folder.mkdir()
        options = ("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", folder)
        if subprocess.run(options, check=False, capture_output=True).returncode != 0:
            pytest.skip("a file system of its own needs root")
        self.ends.callback(subprocess.run, ("umount", "-l", folder), check=True)
        return folder

    def replica(self, name, data=None, **settings):
        service = Service("tokens", data or self.home / name / "data", **self.settings, LATCHKEY_REPLICA_NAME=name, **settings)
        service.label = name
        return self.keep(service)

    def watch(self, managers, replicas, **options):
        return Watch(self, managers, replicas, **options)

    def end(self):
        self.ends.close()


def cli(service, *arguments, check=True):
    """The program on a service's data directory, as its operator would run it."""
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False,
                          env={**clean_environment(), **service.settings})
    assert not check or done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done


class Watch:
    """A load over `replicas` and an admin at each of `managers`, from its entry to its exit, where everything is judged:
    no interval over a limit, no admission sent after a confirmation, no acknowledged command lost, all views as the store.

    `limits`: of keys that the load uses up. `loses`: commands may be lost, where the table says so."""

    def __init__(self, lab, managers, replicas, limits=(5, 40), rate=25, loses=False):
        self.lab, self.replicas, self.loses = lab, replicas, loses
        self.load = Load(replicas, rate)
        self.admins = [Admin(manager, cli(manager, "admin-token", "--ttl", "24h").stdout.strip()) for manager in managers]
        self.ids, self.limits = {}, {}
        for limit in limits:
            self.add(f"limit-{limit}", limit)
            self.limits[f"limit-{limit}"] = limit
        self.add("free", FREE)
        for number, admin in enumerate(self.admins):
            name = f"toggled-{number}"
            self.add(name, FREE, admin)
            admin.keys[name] = self.ids[name]
            self.add(f"spare-{number}", FREE, admin)

    def add(self, name, requests_per_minute, admin=None):
        self.ids[name], self.load.keys[name] = (admin or self.admins[0]).create(name, requests_per_minute)

    def __enter__(self):
        for replica in self.replicas:
            for name in self.load.keys:
                eventually(lambda: Caller(replica)("GET", "/v1/plan", self.load.keys[name])[0] == 200)
        self.load.start()
        for admin in self.admins:
            admin.thread.start()
        self.wait(1)
        return self

    def __exit__(self, kind, error, trace):
        self.stop()
        if kind is None:
            self.judge()

    def stop(self):
        for admin in self.admins:
            admin.stop()
        self.load.stop()

    # What a scenario asks meanwhile.

    @staticmethod
    def wait(seconds):
        """Lets the load go on."""
        time.sleep(seconds)

    def asked(self, replica, since=0.0, until=float("inf"), key="free", status=None):
        return [r for r in self.load.requests if r.replica == replica.label and r.key == key and since < r.sent < until
                and status in (None, r.status)]

    def until(self, replica, *statuses, key="free"):
        """Waits until a request that is sent from now on gets one of `statuses`; returns it."""
        begun = time.monotonic()
        return eventually(lambda: next((r for r in reversed(self.load.requests[-500:]) if r.replica == replica.label and
                                        r.key == key and r.sent > begun and r.status in statuses), None), pause=0.02)

    def disable(self, number=0, timeout="60s"):
        """A key of its own is disabled through a manager; returns when it is enforced everywhere, or that it is not."""
        admin, name = self.admins[number], f"spare-{number}"
        return admin.set_disabled(name, self.ids[name], True, f"?wait=enforced&timeout={timeout}")

    def enable(self, number=0):
        admin, name = self.admins[number], f"spare-{number}"
        return eventually(lambda: is_ok(admin.set_disabled(name, self.ids[name], False)))

    def confirm(self, number=0):
        """Disables until that is confirmed, and enables again; returns the confirmed command."""
        confirmed = eventually(lambda: is_confirmed(self.disable(number)))
        self.enable(number)
        return confirmed

    def fenced(self, replica, died):
        """The replica must refuse S after its last proof of being current, which was before `died`."""
        self.until(replica, 503, 0)
        late = [r for r in self.asked(replica, since=died + self.lab.staleness, status=200) if r.sent < self.last_refusal(replica)]
        assert not late, (replica.label, died, late[:3])

    def last_refusal(self, replica):
        return max((r.sent for r in self.asked(replica, status=503)), default=0.0)

    def undisturbed(self, replica, since):
        """Every request to it was admitted since then; where the machine had no time for it, nothing can be said."""
        asked = self.asked(replica, since=since)
        slowest = max((r.answered - r.sent for r in self.load.requests if r.sent > since), default=0)
        if slowest > 1:
            return print(f"a request took {slowest:.1f} s: not judged whether {replica.label} was disturbed")
        assert asked and {r.status for r in asked} == {200}, (replica.label, [r for r in asked if r.status != 200][:5])

    # The judges.

    @property
    def commands(self):
        return sorted((c for admin in self.admins for c in admin.commands), key=lambda c: c.sent)

    def judge(self):
        over = judge.over_the_limit(self.load.requests, self.limits)
        assert not over, (over, self.admissions(over))
        false = judge.admitted_after_confirmation(self.load.requests, self.commands)
        assert not false, (len(false), false[:3])
        stored = {name: eventually(lambda: self.admins[0].shown(self.ids[name])) for name in self.ids}
        if not self.loses:
            lost = judge.lost_commands(self.commands, {name: row["status"] == "disabled" for name, row in stored.items()})
            assert not lost, lost
        for replica in self.replicas:
            for name, row in stored.items():
                eventually(lambda: self.says_as(replica, name, row))
        confirmed = sum(c.disabled and c.confirmed for c in self.commands)
        print(f"{len(self.load.requests)} requests, {len(self.commands)} commands, {confirmed} confirmations: 0 over a limit, "
              f"0 admitted after a confirmation, {'some may be' if self.loses else '0'} lost")
        assert confirmed, "nothing was confirmed, so this proves nothing"

    def admissions(self, keys):
        """When and where: seconds after the load began."""
        begun = self.load.requests[0].sent
        return {key: [(round(r.sent - begun, 2), r.replica) for r in self.load.requests if r.key == key and r.status == 200]
                for key in keys}

    def says_as(self, replica, name, row):
        """The replica says of the key what the store says."""
        status, _, body = Caller(replica)("GET", "/v1/plan", self.load.keys[name])
        return status == 200 if row["status"] == "active" else status == 401 and f"key-{row['status']}".encode() in body


def is_ok(command):
    return command if command.status in (200, 202) else None


def is_confirmed(command):
    return command if command.confirmed else None

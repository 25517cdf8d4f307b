"""The program's services as processes, alone and as the replicas of one stack."""

import contextlib
import http.client
import os
import pathlib
import signal
import subprocess
import time

import conformance
from halt import halt
from http_client import Client, bearer
from turns import eventually, turn

BINARY = os.environ.get("LATCHKEY_BINARY", str(pathlib.Path(__file__).resolve().parents[2] / "build/release/latchkey"))


def clean_environment():
    return {k: v for k, v in os.environ.items() if not k.startswith("LATCHKEY_")}


class PatientClient(Client):
    """Asks again where the limiter at Redis had no answer within its 250 ms: a starved machine's, and no refusal of the key."""

    def __call__(self, *request, **more):
        end = time.monotonic() + 60
        while True:
            reply = super().__call__(*request, **more)
            if reply.status != 503 or b"/problems/limiter-unavailable" not in reply.body or time.monotonic() > end:
                return reply
            time.sleep(0.05)


class Service:
    """`latchkey keys` or `latchkey tokens` on a free port."""

    def __init__(self, name, data_dir, **settings):
        self.name, self.data_dir = name, pathlib.Path(data_dir)
        self.settings = {"LATCHKEY_DATA_DIR": str(data_dir), f"LATCHKEY_{name.upper()}_LISTEN": "127.0.0.1:0",
                         "LATCHKEY_THREADS": "2", **settings}
        self.process = None
        self.data_dir.parent.mkdir(exist_ok=True)
        self.log = self.data_dir.parent / f"{name}.log"

    def start(self, wait="ready"):
        return self.launch().started(wait)

    def launch(self):
        self.url_file.unlink(missing_ok=True)
        self.launched = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([BINARY, self.name], env={**clean_environment(), **self.settings},
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        return self

    def started(self, wait="ready"):
        """Waits until it is "ready" or, by any other word, until it listens."""
        eventually(lambda: self.alive() and self.url_file.exists())
        if wait == "ready":
            eventually(self.ready)
        return self

    @property
    def url_file(self):
        return self.data_dir / "run" / f"{self.name}.url"

    @property
    def url(self):
        url = self.url_file.read_text().strip()
        conformance.remember(self.name, url)
        return url

    def alive(self):
        code = self.process.poll()
        assert code is None, f"{self.name} ended with {code}:\n{self.tail()}"
        return True

    def ready(self):
        self.alive()
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.client()("GET", "/readyz").status == 200
        return False

    def client(self, token=None, patient=True):
        patient = patient and self.settings.get("LATCHKEY_LIMITER", "").startswith("redis")
        return (PatientClient if patient else Client)(self.url, bearer(token) if token else None)

    def metric(self, name):
        """The sum over its labels."""
        text = self.client()("GET", "/metrics").body.decode()
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name)

    def signal(self, number):
        halt(self.process.pid) if number == signal.SIGSTOP else self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """A graceful stop; returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.process.wait(timeout=300)

    def tail(self):
        return self.log.read_text(errors="replace")[-4000:]

    def end(self):
        """At the end of a test: whatever happened, no sanitizer may have spoken."""
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            assert self.stop() == 0, self.tail()
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        for word in ("AddressSanitizer", "ThreadSanitizer", "runtime error:", "LeakSanitizer"):
            assert word not in text, text[-8000:]


class Relay(Service):
    """`latchkey relay`, which listens nowhere."""

    def __init__(self, name, data_dir, **settings):
        super().__init__("relay", data_dir, **settings)
        self.settings.pop("LATCHKEY_RELAY_LISTEN")
        self.log = self.data_dir.parent / f"{name}.log"

    def launch(self):
        self.told = self.log.stat().st_size if self.log.exists() else 0
        return super().launch()

    def started(self, wait=None):
        eventually(lambda: self.alive() and b"relay runs" in self.log.read_bytes()[self.told:])
        return self


class Replicas:
    """The replicas of one stack in the place of one Service: what is done to it is done to each, and requests go to one
    after the other (turns.py). Who means one of them says stack.replicas[…]."""

    def __init__(self, services):
        self.services = services

    def start(self, wait="ready"):
        for service in self.services:
            service.launch()
        for service in self.services:
            service.started(wait)
        return self

    @property
    def url(self):
        """Of the one whose turn it is."""
        return self.services[turn.take(len(self.services))].url

    def client(self, token=None):
        return SpreadClient(self.services, token)

    def signal(self, number):
        for service in self.services:
            service.signal(number)

    def kill(self):
        for service in self.services:
            service.kill()

    def stop(self):
        """All at once; the worst exit code."""
        self.signal(signal.SIGTERM)
        return max(service.process.wait(timeout=300) for service in self.services)

    def alive(self):
        return all([service.alive() for service in self.services])

    def ready(self):
        return all([service.ready() for service in self.services])

    def metrics(self, name):
        """One figure a replica."""
        return [service.metric(name) for service in self.services]

    def tails(self):
        return [service.tail() for service in self.services]

    @property
    def process(self):
        """Where there is only one."""
        (service,) = self.services
        return service.process


class SpreadClient:
    """A keep-alive connection to each replica; each request goes to the next one."""

    def __init__(self, services, token):
        self.services, self.token = services, token
        self.clients = [None] * len(services)

    def __call__(self, *request, **more):
        number = turn.take(len(self.services))
        if self.clients[number] is None:
            self.clients[number] = self.services[number].client(self.token)
        return self.clients[number](*request, **more)

    def close(self):
        for client in self.clients:
            if client is not None:
                client.close()

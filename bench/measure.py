"""Rounds of load, servers taking turns, so that a noisy minute hits all of them alike."""

import dataclasses
import json
import os
import statistics
import subprocess

from servers import cpu_seconds


@dataclasses.dataclass
class Sample:
    per_second: float
    cpu_micros: float  # of the server process, a request
    p50: float
    p99: float


@dataclasses.dataclass
class Series:
    label: str
    samples: list

    def median(self, figure):
        return statistics.median(getattr(sample, figure) for sample in self.samples)

    def spread(self, figure):
        """Half the distance from the least to the largest, as a share of the median."""
        values = [getattr(sample, figure) for sample in self.samples]
        return (max(values) - min(values)) / 2 / statistics.median(values)


def ratio(series, other, figure):
    """The median of the ratios of each round: what both had to suffer cancels out."""
    return statistics.median(getattr(a, figure) / getattr(b, figure)
                             for a, b in zip(series.samples, other.samples, strict=True))


class Bench:
    def __init__(self, load_binary, load_core, rounds, seconds):
        self.load_binary, self.load_core, self.rounds, self.seconds = load_binary, load_core, rounds, seconds

    def load(self, server, *options, expect=("200",), tokens=None):
        command = [self.load_binary, "--port", str(server.port), "--tokens", str(tokens or server.tokens), *map(str, options)]
        if server.tls:
            command.append("--tls")
        done = subprocess.run(command, capture_output=True, text=True, timeout=180,
                              preexec_fn=lambda: os.sched_setaffinity(0, {self.load_core}))
        if done.returncode != 0:
            raise RuntimeError(f"{server.name}: {done.stderr}")
        outcome = json.loads(done.stdout)
        if not set(outcome["statuses"]) <= set(expect):
            raise RuntimeError(f"{server.name} answered {outcome['statuses']}")
        return outcome

    def warm_up(self, server):
        """Every token once: what is paid at first sight is no part of the steady state."""
        self.load(server, "--sequential", "--requests", len(server.tokens.read_text().split()), "--seconds", 100)

    def sample(self, server, *options, **keywords):
        before = cpu_seconds(server.pid)
        outcome = self.load(server, "--seconds", self.seconds, *options, **keywords)
        used = cpu_seconds(server.pid) - before
        return Sample(outcome["perSecond"], used / outcome["answers"] * 1e6, outcome["p50Micros"], outcome["p99Micros"])

    def compare(self, servers, *options):
        series = [Series(server.label, []) for server in servers]
        for _ in range(self.rounds):
            for server, one in zip(servers, series, strict=True):
                one.samples.append(self.sample(server, *options))
        return series

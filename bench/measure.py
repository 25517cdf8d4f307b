"""Rounds of load, servers taking turns, so that a noisy minute hits all of them alike."""

import dataclasses
import itertools
import json
import os
import statistics
import subprocess

from contestants import cpu_seconds


@dataclasses.dataclass
class Sample:
    per_second: float
    cpu_micros: float  # of the server process, a request
    p50: float
    p99: float
    busy: float  # share of one core that the server used
    load_busy: float  # and the load: near 1, the load was the limit
    cipher: str


STEADY_BESIDE = 1_000  # requests a second
FIGURES = ["per_second", "cpu_micros", "p50", "p99", "busy", "load_busy"]


@dataclasses.dataclass
class Series:
    name: str
    label: str
    samples: list

    def median(self, figure):
        return statistics.median(getattr(sample, figure) for sample in self.samples)

    def spread(self, figure):
        """Half the distance from the least to the largest, as a share of the median."""
        values = [getattr(sample, figure) for sample in self.samples]
        return (max(values) - min(values)) / 2 / statistics.median(values)

    def summary(self):
        """For the report: the median of each figure, and its spread."""
        return {"name": self.name, "label": self.label, "cipher": self.samples[0].cipher,
                **{figure: {"median": self.median(figure), "spread": self.spread(figure)} for figure in FIGURES}}


def ratio(series, other, figure):
    """The median and the quartiles of the ratios of each round: what both had to suffer cancels out."""
    ratios = [getattr(a, figure) / getattr(b, figure) for a, b in zip(series.samples, other.samples, strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
    return {"median": median, "low": low, "high": high}


class Bench:
    def __init__(self, load_binary, load_core, rounds, seconds):
        self.load_binary, self.load_core, self.rounds, self.seconds = load_binary, load_core, rounds, seconds

    def begin_load(self, server, *options):
        command = [self.load_binary, "--port", str(server.port), "--tokens", str(server.tokens), *map(str, options)]
        if server.tls:
            command.append("--tls")
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                preexec_fn=lambda: os.sched_setaffinity(0, {self.load_core}))

    def end_load(self, server, load, expect=("200",)):
        out, err = load.communicate(timeout=180)
        if load.returncode != 0:
            raise RuntimeError(f"{server.name}: {err}")
        outcome = json.loads(out)
        if not set(outcome["statuses"]) <= set(expect):
            raise RuntimeError(f"{server.name} answered {outcome['statuses']}")
        return outcome

    def load(self, server, *options, expect=("200",)):
        return self.end_load(server, self.begin_load(server, *options), expect)

    def warm_up(self, server):
        """Every token once: what is paid at first sight is no part of the steady state."""
        self.load(server, "--sequential", "--requests", len(server.tokens.read_text().split()), "--seconds", 100)

    def sample(self, server, *options, expect=("200",)):
        before = cpu_seconds(server.pid)
        outcome = self.load(server, "--seconds", self.seconds, *options, expect=expect)
        used = cpu_seconds(server.pid) - before
        return Sample(outcome["perSecond"], used / outcome["answers"] * 1e6, outcome["p50Micros"], outcome["p99Micros"],
                      used / outcome["seconds"], outcome["cpuSeconds"] / outcome["seconds"], outcome["cipher"])

    def compare(self, servers, *options):
        return self.compare_runs([(server, server.label, ("200",)) for server in servers], *options)

    def compare_runs(self, runs, *options):
        """`runs`: (server, label, statuses that may come). In turns: one round of each, then the next."""
        series = [Series(server.name, label, []) for server, label, _ in runs]
        for _, ((server, _, expect), one) in itertools.product(range(self.rounds), zip(runs, series, strict=True)):
            one.samples.append(self.sample(server, *options, expect=expect))
        return series

    def beside(self, server, crowds, *options):
        """A modest steady load on `server`, alone and beside a crowd: the same server with other tokens, another of
        `crowds` each round, sent as `options` say."""
        alone, beside = Series(server.name, "alone", []), Series(server.name, "beside the crowd", [])
        steady = ("--rate", STEADY_BESIDE, "--connections", 32)
        for crowd in crowds:
            alone.samples.append(self.sample(server, *steady))
            load = self.begin_load(crowd, "--seconds", self.seconds + 1, "--connections", 16, *options)
            beside.samples.append(self.sample(server, *steady))
            answers = self.end_load(crowd, load, ("200", "401", "503"))
            beside.label = f"beside {answers['perSecond']:,.0f} of the crowd a second"
        return alone, beside

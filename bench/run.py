#!/usr/bin/env python3
"""`./dev bench`: everything against everything in one go; ends with the table of goals and writes docs/performance.md.

What it starts it also ends. Loopback only. Programs come from the release build, peers from packages.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import machine
import report
import scale_out
from http_suite import HttpSuite

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"


class Plan:
    def __init__(self, quick):
        self.quick = quick
        self.rounds, self.seconds = (3, 1) if quick else (7, 2)
        self.keys, self.peer_keys = 10_000, 1_000
        cores = sorted(os.sched_getaffinity(0))
        self.server_core, self.load_core = cores[0], cores[-1]
        self.stored = 100_000 if quick else 1_000_000
        self.scale = 1_000_000 if quick else 10_000_000
        self.micro_seconds = 0.05 if quick else 0.3


class Tools:
    def __init__(self, node, before):
        self.latchkey, self.load = BUILD / "latchkey", BUILD / "bench/latchkey-load"
        self.micro, self.scale = BUILD / "bench/latchkey-micro", BUILD / "bench/latchkey-bench"
        self.node = node  # the folder where the NestJS peer is installed; None: without it
        self.before = before  # `latchkey` of another build, to compare with; None: without


def say(text):
    print(f"    {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def run_http(tools, plan, directory):
    return HttpSuite(directory, plan, tools, say).run()


def run_micro(tools, plan, _directory):
    say("micro-benchmarks")
    keys = "1000000" if plan.quick else "10000000"
    command = ["taskset", "-c", f"{plan.server_core},{plan.load_core}", tools.micro, "--benchmark_format=json",
               f"--benchmark_min_time={plan.micro_seconds}", "--benchmark_repetitions=3"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=900,
                          env={**os.environ, "LATCHKEY_BENCH_KEYS": keys})
    return json.loads(done.stdout)["benchmarks"]


def run_scale(tools, plan, directory):
    say(f"scale, up to {plan.scale:,} keys")
    done = subprocess.run([tools.scale, "--directory", directory / "scale", "--keys", str(plan.scale),
                           "--stored", str(plan.stored), "--seconds", str(2 if plan.quick else 5)],
                          check=True, stdout=subprocess.PIPE, text=True, timeout=900)
    return json.loads(done.stdout)


def run_scale_out(tools, plan, directory):
    say("commit to enforced over PostgreSQL, and over a relay and Redis")
    return scale_out.measure(tools, directory, plan.keys, 2 if plan.quick else 5)


PARTS = {"http": run_http, "micro": run_micro, "scale": run_scale, "scale-out": run_scale_out}


def measure(tools, plan, parts, keep):
    """Calls keep(results) after each part, so that a part that fails does not take the others with it."""
    results = {"machine": machine.describe(tools.node), "loadBefore": machine.load_average(), "quick": plan.quick,
               "plan": {"keys": plan.keys, "peerKeys": plan.peer_keys, "rounds": plan.rounds, "seconds": plan.seconds}}
    with tempfile.TemporaryDirectory(prefix="latchkey-bench-", dir=ROOT / "build") as directory:
        directory = pathlib.Path(directory)
        for part in parts:
            results[part] = PARTS[part](tools, plan, directory)
            keep(results)
    return results


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about two minutes; a rough picture, nothing is written")
    parser.add_argument("--only", choices=PARTS, help="one part, nothing is written")
    parser.add_argument("--before", type=pathlib.Path, metavar="LATCHKEY",
                        help="the program of another build, which takes its turns as well")
    parser.add_argument("--node", type=pathlib.Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    began = time.monotonic()

    def keep(results):
        results["minutes"] = (time.monotonic() - began) / 60
        (ROOT / "build/bench-results.json").write_text(json.dumps(results, indent=1))

    results = measure(Tools(asked.node, asked.before), Plan(asked.quick), [asked.only] if asked.only else PARTS, keep)
    if not asked.quick and not asked.only:
        report.write(results, ROOT / "docs")
    print(report.closing_table(results))


if __name__ == "__main__":
    main()

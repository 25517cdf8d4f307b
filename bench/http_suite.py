"""Servers against each other over HTTP: the same answer, the same connections, one core each for server and load."""

import contextlib
import subprocess

from measure import Bench, ratio
from contestants import Haproxy, Latchkey, Nest, NestRemembering, Nginx, forged_tokens, garbage_tokens, write_tokens

PIPELINE = 8
FLOOD_RATE = 10_000  # tokens a second, about as many as one core can check
STEADY_RATE = 20_000  # requests a second that the slower ones of the fast servers can just about do


def self_signed(directory):
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-days", "2"],
                   check=True, capture_output=True)
    return str(certificate), str(key)


class HttpSuite:
    """`say` tells the operator what goes on; figures land in `results`."""

    def __init__(self, directory, plan, tools, say):
        self.directory, self.plan, self.tools, self.say = directory, plan, tools, say
        self.bench = Bench(tools.load, plan.load_core, plan.rounds, plan.seconds)
        self.results = {}

    def run(self):
        with contextlib.ExitStack() as running:
            self.start_all(running)
            self.against_peers()
            self.pipelined()
            self.over_tls()
            self.at_a_steady_rate()
            self.garbage()
            self.flood()
            self.cold_start(running)
        return self.results

    def started(self, running, server):
        server.start()
        running.callback(server.stop)
        self.bench.warm_up(server)
        return server

    def start_all(self, running):
        self.say(f"making {self.plan.keys} access keys")
        tls = self_signed(self.directory)
        own = lambda name, **more: Latchkey(self.directory / name, self.plan.server_core, self.tools.latchkey,
                                            self.plan.keys, **more)
        self.latchkey = self.started(running, own("latchkey", io="auto"))
        body, headers = self.latchkey.answer()
        self.results["answerBytes"] = len(body)
        copies = [own("latchkey-tls", tls=tls), own("latchkey-epoll", io="epoll", label="Latchkey by epoll")]
        if self.tools.before is not None:
            copies.append(Latchkey(self.directory / "latchkey-before", self.plan.server_core, self.tools.before,
                                   self.plan.keys, label="Latchkey, the build before"))
        self.say("starting what has the same keys, which admits nobody for a minute")
        for server in copies:
            server.share_keys(self.latchkey)
            server.start()
            running.callback(server.stop)
        for server in copies:
            server.wait_until_admitted()
            self.bench.warm_up(server)
        self.latchkey_tls, self.others = copies[0], copies[1:]
        peer = lambda kind, folder=None, **more: self.started(
            running, kind(self.directory / (folder or kind.name), self.plan.server_core, self.plan.peer_keys, body,
                          headers, **more))
        self.say("starting the peers")
        self.nginx, self.nginx_tls = peer(Nginx), peer(Nginx, "nginx-tls", tls=tls)
        self.haproxy = peer(Haproxy)
        self.nests = [] if self.tools.node is None else [peer(kind, node=self.tools.node) for kind in (Nest, NestRemembering)]

    def note(self, name, series):
        self.results[name] = [one.summary() for one in series]

    def ratios(self, name, series, against=1):
        """Of Latchkey, which comes first, to each of the others."""
        first = series[0]
        self.results.setdefault("ratios", {})[name] = {
            other.name: {"cpu": ratio(first, other, "cpu_micros"), "throughput": ratio(first, other, "per_second")}
            for other in series[against:]}

    def against_peers(self):
        self.say("as fast as answers come, 64 connections, clients of one request a system call")
        series = self.bench.compare([self.latchkey, *self.others, self.nginx, self.haproxy, *self.nests])
        self.note("saturated", series)
        self.ratios("saturated", series)
        self.say("the same, clients that share their system calls")
        series = self.bench.compare([self.latchkey, *self.others, self.nginx], "--batching")
        self.note("batching", series)
        self.ratios("batching", series)
        # The same with as few tokens as the peers have, which is kinder to caches.
        few = self.latchkey.with_fewer_tokens(self.plan.peer_keys)
        series = self.bench.compare([few, self.nginx])
        self.note("fewer", series)
        self.ratios("fewer", series)

    def pipelined(self):
        self.say(f"pipelined by {PIPELINE}")
        series = self.bench.compare([self.latchkey, self.nginx, self.haproxy], "--pipeline", PIPELINE)
        self.note("pipelined", series)
        self.ratios("pipelined", series)

    def over_tls(self):
        self.say("over TLS")
        series = self.bench.compare([self.latchkey_tls, self.nginx_tls])
        self.note("tls", series)
        self.ratios("tls", series)

    def at_a_steady_rate(self):
        self.say(f"at {STEADY_RATE} requests a second")
        series = self.bench.compare([self.latchkey, self.nginx, self.haproxy], "--rate", STEADY_RATE)
        self.note("steady", series)
        self.ratios("steady", series)

    def garbage(self):
        """Tokens of a wrong shape, and well-formed ones of unknown key ids, against admitted requests."""
        self.say("garbage tokens")
        shapes = garbage_tokens(self.latchkey)
        runs = [(self.latchkey, "an admitted request", ("200",))] + [
            (self.latchkey.presenting(write_tokens(self.directory / name, tokens)), name, ("401",))
            for name, tokens in shapes.items()]
        series = self.bench.compare_runs(runs)
        for one, (_, label, _) in zip(series, runs, strict=True):
            one.name = label
        self.note("garbage", series)
        self.ratios("garbage", series)

    def beside(self, name, server, crowds, *options):
        alone, beside = self.bench.beside(server, crowds, *options)
        self.note(name, [alone, beside])
        self.results["ratios"][name] = {"p99": ratio(beside, alone, "p99"), "p50": ratio(beside, alone, "p50")}

    def flood(self):
        """p99 of other keys while somebody sends ten times as many tokens with bad signatures for one known key id."""
        self.say("a flood of bad signatures for one key id")
        victim = self.latchkey.tokens.read_text().split()[-1]
        forged = self.latchkey.presenting(write_tokens(self.directory / "forged", forged_tokens(victim)))
        self.beside("flood", self.latchkey.with_fewer_tokens(self.plan.peer_keys), [forged] * self.plan.rounds,
                    "--rate", FLOOD_RATE)

    def cold_start(self, running):
        """p99 of remembered keys while others of a million present themselves for the first time, each once and more
        than one core can check."""
        rounds, crowd = self.plan.rounds, FLOOD_RATE * (self.plan.seconds + 1)
        self.say(f"a cold start with {self.plan.stored:,} keys")
        directory = self.directory / "cold"
        subprocess.run([self.tools.scale, "--directory", directory / "data", "--stored", str(self.plan.stored),
                        "--tokens", str(self.plan.peer_keys + rounds * crowd), "--fill-only"], check=True)
        tokens = (directory / "data/access-keys").read_text().split()
        server = Latchkey(directory, self.plan.server_core, self.tools.latchkey, self.plan.peer_keys)
        write_tokens(server.tokens, tokens[:self.plan.peer_keys])
        self.started(running, server)
        rest = tokens[self.plan.peer_keys:]
        crowds = [server.presenting(write_tokens(directory / f"crowd-{i}", rest[i * crowd:(i + 1) * crowd]))
                  for i in range(rounds)]
        self.beside("cold", server, crowds, "--sequential", "--rate", FLOOD_RATE)

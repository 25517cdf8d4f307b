"""What must hold (docs/performance.md), read off the figures of one run."""

import dataclasses


@dataclasses.dataclass
class Goal:
    what: str
    unit: str
    limit: float
    measured: float
    at_least: bool = False  # the limit is a least instead of a most
    spread: str = ""  # of the rounds: between which half of them lie

    @property
    def holds(self):
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def of_ratio(what, limit, ratio, **more):
    if ratio is None:
        return None
    return Goal(what, "×", limit, ratio["median"], spread=f"{ratio['low']:.3g} to {ratio['high']:.3g}", **more)


def http_goals(http):
    def of(name, peer, figure="cpu"):
        return http["ratios"].get(name, {}).get(peer, {}).get(figure)

    goals = [
        of_ratio("CPU a guarded request, clients of one request a call, to nginx `return 200`", 0.85,
                 of("saturated", "nginx")),
        of_ratio("the same, clients that share their calls", 0.62, of("batching", "nginx")),
        of_ratio("throughput, clients that share their calls, to nginx", 1.5, of("batching", "nginx", "throughput"),
                 at_least=True),
        of_ratio("CPU to the build before, clients of one request a call", 0.88, of("saturated", "latchkey-before")),
        of_ratio("the same, clients that share their calls", 0.72, of("batching", "latchkey-before")),
        of_ratio("CPU, to HAProxy with HS256 and stick table", 0.48, of("saturated", "haproxy")),
        of_ratio("CPU, to NestJS + Fastify with KeyObject", 0.09, of("saturated", "nestjs")),
        of_ratio("CPU pipelined by 8, to nginx", 0.22, of("pipelined", "nginx")),
        of_ratio("CPU over TLS, to nginx TLS", 0.95, of("tls", "nginx")),
        of_ratio("p99 of other keys in a flood of bad signatures, to p99 alone", 3, http["ratios"]["flood"]["p99"]),
        of_ratio("p99 of remembered keys in a cold start, to p99 alone", 3, http["ratios"]["cold"]["p99"]),
    ]
    # Against the admitted request: what comes first is what garbage is held to, so the ratio is turned round.
    turned = [{"median": 1 / cpu["median"], "low": 1 / cpu["high"], "high": 1 / cpu["low"]}
              for cpu in (garbage["cpu"] for garbage in http["ratios"]["garbage"].values())]
    goals.append(of_ratio("CPU of the dearest garbage token, to an admitted request", 1,
                          max(turned, key=lambda ratio: ratio["median"])))
    return [goal for goal in goals if goal is not None]


def micro_goals(micro):
    def nanos(name):
        return micro.get(name, {}).get("nanos")

    goals = [
        Goal("access check, warm, 1,000 keys", "µs", 0.5, nanos("access_hit/1000")),
        Goal("access check, warm, 10 million keys at random", "µs", 1.5, nanos("access_hit/10000000")),
    ]
    one, two = nanos("access_threads/1"), nanos("access_threads/2")
    if one and two:
        goals.append(Goal("access check, two threads on different keys, to one", "×", 1.3, two / one * 1000))
    return [dataclasses.replace(goal, measured=goal.measured / 1000) for goal in goals if goal.measured is not None]


def scale_goals(scale):
    goals = []
    for view in scale.get("view", []):
        if view["keys"] == 10_000_000:
            goals.append(Goal("resident bytes a key at 10 million", "B", 128, view["bytesPerKey"]))
    if "load" in scale:
        goals.append(Goal("view loaded from the store", "keys/s", 500_000, scale["load"]["keysPerSecond"], at_least=True))
    if "enforced" in scale:
        idle = scale["enforced"]["idle"]
        goals.append(Goal("commit → enforced at idle, p50", "ms", 1, idle["p50Micros"] / 1000))
        goals.append(Goal("commit → enforced at idle, p99", "ms", 5, idle["p99Micros"] / 1000))
    if "commands" in scale:
        goals.append(Goal("commands with 64 clients, synchronous=FULL", "/s", 5000,
                          scale["commands"]["clients64"]["perSecond"], at_least=True))
    return goals


def scale_out_goals(scale_out):
    return [Goal(f"commit → enforced at idle, {way}, p50", "ms", limit, scale_out[name]["idle"]["p50Micros"] / 1000)
            for name, way, limit in [("postgres", "PostgreSQL direct", 2), ("redis", "through relay and Redis", 5)]]


def all_goals(results):
    goals = []
    if "http" in results:
        goals += http_goals(results["http"])
    if "micro" in results:
        goals += micro_goals(results["micro"])
    if "scale" in results:
        goals += scale_goals(results["scale"])
    if "scale-out" in results:
        goals += scale_out_goals(results["scale-out"])
    return goals

"""Figures into docs/performance.md: all between two marks is written here, the words around it by people."""

import datetime
import math
import pathlib
import re

import goals
import plot

BEGIN = "<!-- what follows is written by ./dev bench -->"
END = "<!-- until here -->"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def rounded(value, digits=3):
    """To so many significant digits, with separators."""
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{round(value, places):,.{places}f}"


def median(one, figure, factor=1):
    figure = one[figure]
    return f"{rounded(figure['median'] * factor)} ± {figure['spread'] * 100:.0f} %"


def ratio_cells(ratios, one):
    if one["name"] not in ratios:
        return ["1", "1"]
    found = ratios[one["name"]]
    return [rounded(1 / found["cpu"]["median"]), rounded(1 / found["throughput"]["median"])]


def http_table(http, name):
    """Ratios are of each round, then their median: what both had to suffer cancels out."""
    ratios = http["ratios"][name]
    rows = [[one["label"], median(one, "per_second"), median(one, "cpu_micros"), rounded(one["p50"]["median"]),
             rounded(one["p99"]["median"]), f"{one['busy']['median'] * 100:.0f} %",
             f"{one['load_busy']['median'] * 100:.0f} %", *ratio_cells(ratios, one)]
            for one in http[name]]
    return table(["", "requests/s", "CPU µs/request", "p50 µs", "p99 µs", "core used", "load's core used",
                  "CPU × Latchkey", "requests/s × Latchkey"], rows)


def beside_table(pair):
    return table(["", "p50 µs", "p99 µs", "core used"],
                 [[one["label"], median(one, "p50"), median(one, "p99"), f"{one['busy']['median'] * 100:.0f} %"]
                  for one in pair])


def http_part(http):
    cipher = http["tls"][0]["cipher"]
    parts = [
        "## Guarded requests over HTTP\n",
        f"`GET /v1/tokens/ETH`: {http['answerBytes']} octets of JSON and the same added headers from each. nginx and HAProxy do"
        " less or other work than Latchkey: nginx checks nothing, logs nothing and is the ceiling; HAProxy and NestJS verify"
        " HS256, which is far cheaper than Ed25519, on every request; the second NestJS and Latchkey remember.\n",
        "A ratio is the median of the ratios of each round, so that what both had to suffer cancels out; it need not be the"
        " quotient of the medians beside it. The goals below divide Latchkey by its peer, the tables a peer by Latchkey."
        " Where the load's core is used up, its own limit is seen, not the server's: then CPU a request is what tells.\n",
        "As fast as answers come, 64 connections, each client with a system call for its request and one for its answer."
        " Latchkey: 10,000 tokens at random; the others 1,000.\n",
        http_table(http, "saturated"),
        "The same with clients that share their system calls (io_uring), as a proxy with many clients does:\n",
        http_table(http, "batching"),
        "![CPU time a request](performance-http.svg)\n",
        "Latchkey with 1,000 tokens as well:\n", http_table(http, "fewer"),
        "Pipelined by 8:\n", http_table(http, "pipelined"),
        f"Over TLS ({cipher} on both, sessions kept):\n", http_table(http, "tls"),
        "At 20,000 requests a second, where neither server nor load is pressed:\n", http_table(http, "steady"),
        "What refusals cost, beside an admitted request:\n", http_table(http, "garbage"),
        "1,000 good requests a second, alone and beside tokens with bad signatures for one known key id, each of which"
        " costs the whole check, all on one core (answers to the crowd include 503):\n", beside_table(http["flood"]),
        "1,000 requests a second of remembered keys, alone and beside keys that present themselves for the first time,"
        " more than the core can check, all on one core:\n", beside_table(http["cold"]),
    ]
    return "\n".join(parts)


def micro_results(benchmarks):
    """By name: the median of the repetitions, in nanoseconds of CPU time."""
    found = {}
    for one in benchmarks:
        if one.get("aggregate_name") != "median":
            continue
        name = re.sub(r"/iterations:\d+", "", one["run_name"]).replace("access_threads/1000/threads:", "access_threads/")
        found[name] = {"nanos": one["cpu_time"]}
    return found


def micro_part(micro):
    sizes = sorted({int(name.split("/")[1]) for name in micro if name.startswith("access_hit/")})
    rows = []
    for kind, what in [("access_hit", "access check, token remembered (limiter included)"),
                       ("access_miss", "access check, unknown key id"), ("limiter", "limiter alone"),
                       ("memo", "memo alone"), ("view_apply", "one change applied to the view")]:
        rows.append([what] + [rounded(micro[f"{kind}/{size}"]["nanos"]) for size in sizes])
    single = [[what, rounded(micro[name]["nanos"])] for name, what in
              [("token_digest", "SHA-256 of a token"), ("token_hint", "key id out of a token"),
               ("token_parse", "token taken apart, strictly"), ("signature", "Ed25519 signature checked"),
               ("access_threads/1", "access check, 1,000 keys, one thread"),
               ("access_threads/2", "the same, two threads, each on its own keys")] if name in micro]
    return "\n".join(["## One step at a time\n", "Nanoseconds of CPU time, by number of keys; keys at random, but for the memo's one key:\n",
                      table([""] + [f"{size:,}" for size in sizes], rows),
                      "![Access check by number of keys](performance-access.svg)\n", table(["", "ns"], single)])


def scale_part(scale):
    rows = [[f"{view['keys']:,}", rounded(view["bytesPerKey"]), rounded(view["keysPerSecond"]),
             rounded(view["applyNanos"])] for view in scale["view"]]
    parts = ["## Many keys\n", table(["keys", "resident bytes a key", "keys applied a second", "one change, ns"], rows),
             "User ids of 16 bytes; below a million, what the view begins with weighs. A key that was asked for in the last"
             " minute has up to 320 bytes more in the limiter. Applied and changed: CPU time, made-up keys included.\n"]
    load, idle, busy = scale["load"], scale["enforced"]["idle"], scale["enforced"]["busy"]
    one, many = scale["commands"]["clients1"], scale["commands"]["clients64"]
    parts.append(table(["", ""], [
        [f"view loaded from the store, {load['keys']:,} keys", f"{rounded(load['keysPerSecond'])} keys/s, {rounded(load['keysPerCpuSecond'])} a second of CPU time"],
        ["commit → enforced, idle (50 commands/s)", f"p50 {rounded(idle['p50Micros'])} µs, p99 {rounded(idle['p99Micros'])} µs"],
        ["commit → enforced, 1,000 commands/s", f"p50 {rounded(busy['p50Micros'])} µs, p99 {rounded(busy['p99Micros'])} µs"],
        ["commands, 1 client", f"{rounded(one['perSecond'])} /s"],
        ["commands, 64 clients, called in the process", f"{rounded(many['perSecond'])} /s"],
        ["one write and fdatasync on this disk", f"p50 {rounded(scale['fsync']['p50Micros'])} µs"],
        ["first request of a key (parse, signature, memo in memory)", f"{rounded(scale['firstRequestMicros'])} µs"],
    ]))
    return "\n".join(parts)


def scale_out_part(scale_out):
    rows = []
    for name, way in [("postgres", "PostgreSQL direct"), ("redis", "PostgreSQL, relay and Redis")]:
        for load, what in [("idle", "50 commands/s"), ("busy", "1,000 commands/s")]:
            found = scale_out[name][load]
            rows.append([way, what, rounded(found["p50Micros"]), rounded(found["p99Micros"])])
    return "\n".join(["## Past one machine\n", "Commit → enforced; all servers on this machine, every commit on its disk:\n",
                      table(["", "", "p50 µs", "p99 µs"], rows)])


def goals_table(results):
    rows = [[goal.what, ("≥ " if goal.at_least else "≤ ") + f"{goal.limit:,} {goal.unit}",
             f"{rounded(goal.measured)} {goal.unit}", goal.spread, "yes" if goal.holds else "**no**"]
            for goal in goals.all_goals(results)]
    return table(["", "goal", "measured", "half of the rounds", "holds"], rows)


def prepared(results):
    return results | ({"micro": micro_results(results["micro"])} if "micro" in results else {})


def closing_table(results):
    """For the terminal: the columns aligned."""
    rows = [line.strip("| \n").replace("**", "").split(" | ") for line in goals_table(prepared(results)).splitlines()]
    rows = [[cell.strip() for cell in row] for i, row in enumerate(rows) if i != 1]
    rows = [[""] * (5 - len(row)) + row for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    took = f"\n{results['minutes']:.1f} minutes; load of the machine before: {results['loadBefore']:.1f}"
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)) for row in rows) + took


def plots(results, directory):
    http = results["http"]
    rows = [(one["label"], one["cpu_micros"]["median"], f"{rounded(one['cpu_micros']['median'])} µs",
             one["name"].startswith("latchkey")) for one in http["saturated"]]
    (directory / "performance-http.svg").write_text(plot.bars("Server CPU time a request", rows))
    micro = results["micro"]
    series = {}
    for kind, label in [("access_hit", "access check"), ("limiter", "limiter alone"), ("view_apply", "view apply")]:
        series[label] = [(int(name.split("/")[1]), one["nanos"]) for name, one in micro.items()
                         if name.startswith(kind + "/")]
    (directory / "performance-access.svg").write_text(
        plot.lines("One step by number of keys, at random", "keys; nanoseconds of CPU time", series))


def write(results, docs):
    results = prepared(results)
    when = datetime.date.today().isoformat()
    facts = table(["Measured", when], list(results["machine"].items()) + [
        ["Load of the machine before", f"{results['loadBefore']:.1f}"],
        ["Rounds", f"{results['plan']['rounds']} of {results['plan']['seconds']} s each, servers in turns; medians ±"
                   " half the range"]])
    parts = [BEGIN, facts, http_part(results["http"]), micro_part(results["micro"]), scale_part(results["scale"]),
             scale_out_part(results["scale-out"]), "## Goals\n", goals_table(results), END]
    page = pathlib.Path(docs) / "performance.md"
    before, rest = page.read_text().split(BEGIN)
    page.write_text(before + "\n".join(parts) + rest.split(END)[1])
    plots(results, pathlib.Path(docs))

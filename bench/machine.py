"""What the figures were measured on."""

import os
import pathlib
import platform
import re
import subprocess

import contestants


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "not installed"
    return ((done.stdout or done.stderr).strip().splitlines() or ["unknown"])[0]


def version(*command):
    found = re.search(r"\d+\.\d+(\.\d+)?", first_line(*command))
    return found.group(0) if found else "unknown"


def cpu_model():
    found = re.search(r"model name\s*: (.+)", pathlib.Path("/proc/cpuinfo").read_text())
    return found.group(1).strip() if found else platform.machine()


def memory_gib():
    kib = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1))
    return round(kib / 2**20)


def describe(node):
    """Ordered, for a table. `node`: where NestJS is installed, or None."""
    peers = [f"nginx {version('nginx', '-v')}", f"HAProxy {version('haproxy', '-v')}"]
    if node:
        peers.append(f"Node {version(str(contestants.node_program(node)), '--version')}")
    return {
        "Processor": f"{cpu_model()}, {os.cpu_count()} cores",
        "Memory": f"{memory_gib()} GiB",
        "Kernel": platform.release(),
        "Compiler": first_line("c++", "--version"),
        "Peers": ", ".join(peers),
    }


def load_average():
    return os.getloadavg()[0]

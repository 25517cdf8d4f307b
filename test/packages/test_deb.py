"""The Debian package: what is in it, what lintian and systemd say of it, and both services run from it as its units say;
in the long campaign it is installed, upgraded and purged in a fresh Debian."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess

import pytest

from http_client import Client, bearer
from latchkey import LONG, clean_environment, eventually
from servers import free_port, terminate

RELEASE = pathlib.Path(os.environ["LATCHKEY_RELEASE"])
DEB = next(RELEASE.glob("*.deb"))
SERVICES = ("keys", "tokens")
ACCEPTED_BY_LINTIAN = {
    "maintainer-script-calls-systemctl": "made without debhelper: three units, restarted and stopped in so many lines",
    "no-changelog": "it is not uploaded to Debian; CHANGELOG.md is there",
}


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False, **more)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The package's files, unpacked."""
    folder = tmp_path_factory.mktemp("deb")
    run("dpkg-deb", "-x", str(DEB), str(folder))
    return folder


def test_it_has_what_was_promised(root):
    for name in ("usr/bin/latchkey", *(f"lib/systemd/system/latchkey-{service}.service" for service in (*SERVICES, "relay")),
                 "usr/lib/sysusers.d/latchkey.conf", "etc/latchkey/latchkey.toml", "usr/share/man/man1/latchkey.1.gz",
                 "usr/share/bash-completion/completions/latchkey", "usr/share/zsh/vendor-completions/_latchkey",
                 "usr/share/fish/vendor_completions.d/latchkey.fish", "usr/share/doc/latchkey/copyright",
                 "usr/share/doc/latchkey/examples/proxies/nginx.conf"):
        assert (root / name).is_file(), name
    modes = {line.split()[0][1:] for line in run("dpkg-deb", "-c", str(DEB)).splitlines() if not line.startswith("d")}
    assert modes <= {"rwxr-xr-x", "rw-r--r--"}, modes
    owners = {line.split()[1] for line in run("dpkg-deb", "-c", str(DEB)).splitlines()}
    assert owners == {"root/root"}


def test_it_names_the_libraries_it_needs():
    depends = run("dpkg-deb", "-f", str(DEB), "Depends")
    for library in ("libssl3", "libsqlite3-0", "libpq5", "libhiredis0.14", "libcctz2", "libutf8proc2", "tzdata"):
        assert library in depends, depends


def test_lintian_has_nothing_against_it_but_what_is_named_here():
    done = subprocess.run(["lintian", "--allow-root", "--no-cfg", "--fail-on", "none", str(DEB)], capture_output=True, text=True,
                          timeout=600, check=False)
    tags = re.findall(r"^([EW]): \S+: (\S+)", done.stdout, re.M)
    assert {tag for _, tag in tags} == set(ACCEPTED_BY_LINTIAN), done.stdout


def test_the_units_are_read_and_shut_in(root):
    for service in SERVICES:
        unit = root / f"lib/systemd/system/latchkey-{service}.service"
        said = run("systemd-analyze", "security", "--offline=true", str(unit))
        exposure = float(re.search(r"exposure level for \S+: ([\d.]+)", said)[1])
        assert exposure <= 1.5, said
        unknown = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False).stderr
        assert "Unknown" not in unknown and "Failed to parse" not in unknown, unknown


def test_the_manual_page_is_one_and_says_all_commands(root):
    page = root / "usr/share/man/man1/latchkey.1.gz"
    done = subprocess.run(["man", "--warnings", "-l", str(page)], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0 and not done.stderr, done.stderr
    for words in ("latchkey key create", "--requests-per-minute", "LATCHKEY_DATA_DIR", "EXIT STATUS"):
        assert words in done.stdout, words
    assert len(re.findall(r"LATCHKEY_DATA_DIR", done.stdout)) == 1, "each setting once"


def test_completions_are_read_by_their_shells(root):
    run("bash", "-n", str(root / "usr/share/bash-completion/completions/latchkey"))
    fish = (root / "usr/share/fish/vendor_completions.d/latchkey.fish").read_text()
    assert "complete -c latchkey -n '__latchkey_at key create ' -l requests-per-minute -r" in fish
    if shutil.which("fish"):
        run("fish", "-n", str(root / "usr/share/fish/vendor_completions.d/latchkey.fish"))


def setting(unit, name):
    return re.findall(rf"^{name}=(.*)$", unit, re.M)


class NotifySocket:
    """systemd's end of Type=notify."""

    def __init__(self, path):
        self.path, self.heard = path, ""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)

    def hears(self, word):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.heard += self.socket.recv(4096).decode() + "\n"
        return word in self.heard


@contextlib.contextmanager
def started_as_the_unit_says(root, service, tmp_path, environment):
    unit = (root / f"lib/systemd/system/latchkey-{service}.service").read_text()
    assert setting(unit, "Type") == ["notify"] and setting(unit, "WatchdogSec") == ["30s"]
    manager = NotifySocket(tmp_path / f"notify-{service}")
    program, *words = setting(unit, "ExecStart")[0].split()
    settings = dict(line.split("=", 1) for line in setting(unit, "Environment"))
    with open(tmp_path / f"{service}.log", "wb") as log:
        process = subprocess.Popen([root / program.lstrip("/"), *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", env={
            **clean_environment(), **settings, **environment, "NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "400000"})
    try:
        eventually(lambda: manager.hears("READY=1\nSTATUS=listens at "))
        eventually(lambda: manager.hears("WATCHDOG=1"))
        yield manager
    finally:
        terminate(process)
        assert process.returncode == 0, (tmp_path / f"{service}.log").read_text()
        assert manager.hears("STOPPING=1")


def test_both_services_run_from_it_to_a_refused_key(root, tmp_path):
    ports = {service: free_port() for service in SERVICES}
    config = tmp_path / "latchkey.toml"
    text = (root / "etc/latchkey/latchkey.toml").read_text().replace("/var/lib/latchkey/data", str(tmp_path / "data"))
    config.write_text(text.replace("7070", str(ports["keys"])).replace("7071", str(ports["tokens"])))
    environment = {"LATCHKEY_CONFIG": str(config)}

    def cli(*words):
        return run(str(root / "usr/bin/latchkey"), *words, env={**clean_environment(), **environment}).strip()

    with started_as_the_unit_says(root, "keys", tmp_path, environment), \
            started_as_the_unit_says(root, "tokens", tmp_path, environment) as manager:
        key = cli("key", "create", "--user", "alice", "--requests-per-minute", "2", "--quiet", "--wait")
        holder = Client(f"http://127.0.0.1:{ports['tokens']}", bearer(key))
        assert [holder("GET", "/v1/tokens/ETH").status for _ in range(3)] == [200, 200, 429]
        manager.heard = ""
        eventually(lambda: manager.hears("WATCHDOG=1"))


def test_checksums_and_sbom():
    for line in (RELEASE / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((RELEASE / name).read_bytes()).hexdigest() == digest
    sbom = json.loads(next(RELEASE.glob("*.spdx.json")).read_text())
    assert {"latchkey", "libssl3", "libsqlite3-0"} <= {package["name"] for package in sbom["packages"]}


@pytest.mark.skipif(not LONG, reason="makes a fresh Debian: two minutes")
def test_it_is_installed_upgraded_and_purged_in_a_fresh_debian(tmp_path):
    debian = tmp_path / "debian"
    mirror = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Origin: Debian", "Codename: bookworm").split()[0]
    run("debootstrap", "--variant=minbase", "bookworm", str(debian), mirror)
    for file in pathlib.Path("/etc/apt").rglob("*"):  # the same sources, proxies and keys as here
        if file.is_file() and file.suffix in {".list", ".sources", ".conf", ".gpg", ".asc"} | {""}:
            copy = debian / file.relative_to("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
    shutil.copy(DEB, debian / "latchkey.deb")

    def inside(*words):
        return run("chroot", str(debian), *words, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"})
    inside("apt-get", "update", "-q")
    inside("apt-get", "install", "-q", "-y", "--no-install-recommends", "/latchkey.deb")
    assert "latchkey" in (debian / "etc/passwd").read_text()
    inside("su", "-s", "/bin/sh", "latchkey", "-c", "LATCHKEY_CONFIG=/etc/latchkey/latchkey.toml latchkey keys --check-config")
    state = debian / "var/lib/latchkey"
    assert state.stat().st_mode & 0o777 == 0o700
    (state / "kept").write_text("data")
    inside("dpkg", "-i", "/latchkey.deb")
    assert (state / "kept").exists(), "an upgrade keeps data"
    inside("apt-get", "remove", "-q", "-y", "latchkey")
    assert (state / "kept").exists() and (debian / "etc/latchkey/latchkey.toml").exists(), "so does a removal"
    inside("apt-get", "purge", "-q", "-y", "latchkey")
    assert not state.exists() and not (debian / "etc/latchkey/latchkey.toml").exists()

"""Redis as it stands in production: over TLS, with users of the least rights, behind Sentinels. Private to one test."""

import contextlib
import os
import pathlib
import re
import ssl
import subprocess

from provider import certificate
from servers import Redis, free_port, terminate
from turns import eventually

OPERATIONS = pathlib.Path(__file__).parents[2] / "docs/operations.md"


def documented_users():
    """The words of each `ACL SETUSER` of the manual."""
    return [line.split() for line in re.findall(r"^ACL SETUSER latchkey.*$", OPERATIONS.read_text(), re.MULTILINE)]


class SecureRedis(Redis):
    """Speaks TLS only, and has the users of the manual beside the default one, which is for Sentinels and replicas."""

    def __init__(self, folder, *arguments, files=None):
        self.authority, chain, key = self.files = files or certificate(folder)
        super().__init__(folder, "--port", "0", "--tls-cert-file", str(chain), "--tls-key-file", str(key), "--tls-ca-cert-file",
                         str(self.authority), "--tls-auth-clients", "no", "--tls-replication", "yes", *arguments)
        self.arguments = ("--tls-port", str(self.port), *self.arguments)

    def start(self, no_history=False):
        super().start(no_history)
        for words in documented_users():
            assert self.cli(*words) == "OK"
        return self

    def url_of(self, user):
        return f"rediss://{user}:PASSWORD@localhost:{self.port}?ca={self.authority}"

    def connect(self):
        return ssl.create_default_context(cafile=self.authority).wrap_socket(super().connect(), server_hostname="localhost")

    def cli(self, *words):
        return super().cli("--tls", "--cacert", str(self.authority), *words)


class Sentinel(Redis):
    """Watches `primary` by the name "main". With `files` it speaks TLS, to the servers too."""

    def __init__(self, folder, primary, down_after_ms=1000, files=None):
        folder.mkdir()
        self.folder, self.port, self.process, self.files = folder, free_port(), None, files
        tls = (f"tls-port {self.port}\nport 0\ntls-cert-file {files[1]}\ntls-key-file {files[2]}\ntls-ca-cert-file {files[0]}\n"
               "tls-auth-clients no\ntls-replication yes\n") if files else f"port {self.port}\n"
        (folder / "sentinel.conf").write_text(
            f"{tls}bind 127.0.0.1\ndir {folder}\nsentinel monitor main 127.0.0.1 {primary.port} 1\n"
            f"sentinel down-after-milliseconds main {down_after_ms}\nsentinel failover-timeout main 5000\n")

    def start(self, no_history=False):
        self.process = subprocess.Popen(["redis-server", str(self.folder / "sentinel.conf"), "--sentinel"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        eventually(self.answers)
        return self

    def url_of(self, user):
        """As `user` at the primary."""
        place = f"{user}:PASSWORD@127.0.0.1:{self.port}/main"
        return f"rediss-sentinel://{place}?ca={self.files[0]}" if self.files else f"redis-sentinel://{place}"

    def connect(self):
        plain = super().connect()
        return ssl.create_default_context(cafile=self.files[0]).wrap_socket(plain, server_hostname="localhost") if self.files else plain

    def cli(self, *words):
        return super().cli(*(("--tls", "--cacert", str(self.files[0])) if self.files else ()), *words)


class SentinelRedis:
    """A primary with a replica and a Sentinel, all over TLS, in the place of one Redis."""

    def __init__(self, folder):
        files = certificate(folder)
        self.primary = self.server(folder / "first", files).start(no_history=True)
        self.other = self.server(folder / "second", files, "--replicaof", f"127.0.0.1 {self.primary.port}").start()
        self.sentinel = Sentinel(folder / "sentinel", self.primary, files=files).start()
        self.port, self.url_of = self.primary.port, self.sentinel.url_of

    @staticmethod
    def server(folder, files, *arguments):
        folder.mkdir()
        return SecureRedis(folder, *arguments, files=files)

    def can_fail_over(self):
        """Sentinel looks for replicas every ten seconds."""
        return ("num-slaves\n1" in self.sentinel.cli("SENTINEL", "MASTER", "main")
                and "state=online" in self.primary.cli("INFO", "replication"))

    def cli(self, *words):
        return self.primary.cli(*words)

    def end(self):
        for server in (self.sentinel, self.other, self.primary):
            server.end()

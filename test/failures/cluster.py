"""PostgreSQL over TCP, so that a proxy can stand before it; as a primary or as the standby of one."""

import contextlib
import os
import signal
import subprocess

from halt import halt
from servers import Postgres, free_port
from turns import eventually


class NetworkPostgres(Postgres):
    """`follows`: (primary, port): a standby of the primary, which it reaches at the port (a proxy's, or its own)."""

    def __init__(self, follows=None, name="standby"):
        self.port, self.follows, self.name = free_port(), follows, name
        super().__init__("-c", "listen_addresses=127.0.0.1", "-p", str(self.port), "-c", "wal_keep_size=256MB", "-c",
                         "max_connections=60", "-c", "wal_receiver_status_interval=1", "-c", "wal_retrieve_retry_interval=300ms")

    def init(self):
        if self.follows is None:
            return super().init()
        _, port = self.follows
        self.run("pg_basebackup", "-h", "127.0.0.1", "-p", port, "-U", "latchkey", "-D", self.data, "-c", "fast", "-X", "stream",
                 "-N", "-R")
        with open(self.data / "postgresql.auto.conf", "a", encoding="ascii") as conf:
            conf.write(f"primary_conninfo = 'host=127.0.0.1 port={port} user=latchkey application_name={self.name}'\n")

    def url(self, database="postgres", port=None):
        return f"postgresql://latchkey@127.0.0.1:{port or self.port}/{database}"

    def answers(self):
        code = self.process.poll()
        assert code is None, (self.folder / "log").read_text()[-4000:]
        return subprocess.run([self.BIN + "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False).returncode == 0

    def copy(self):
        self.backups += 1
        copy = self.folder / f"backup{self.backups}"
        self.run("pg_basebackup", "-h", "127.0.0.1", "-p", self.port, "-U", "latchkey", "-D", copy, "-c", "fast", "-X", "stream",
                 "-N")
        return copy

    def promote(self):
        self.sql("SELECT pg_promote()")
        eventually(lambda: self.sql("SELECT pg_is_in_recovery()") == "f")

    def children(self):
        out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False)
        return [int(word) for word in out.stdout.split()]

    def signal_all(self, number):
        for pid in [self.process.pid, *self.children()]:
            with contextlib.suppress(ProcessLookupError):
                halt(pid) if number == signal.SIGSTOP else os.kill(pid, number)

    def pause(self):
        """Accepts connections and answers nothing, until resume()."""
        self.signal_all(signal.SIGSTOP)

    def resume(self):
        self.signal_all(signal.SIGCONT)

    def end(self):
        if self.process and self.process.poll() is None:
            self.resume()
        super().end()


def either(*servers):
    """A URL of several hosts, of which libpq takes the one that is wanted. Each is a server, or a proxy before one."""
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    return f"postgresql://latchkey@{hosts}/postgres"

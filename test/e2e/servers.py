"""Real servers of other kinds, private to one test: on a free loopback port, ended by process id."""

import contextlib
import os
import signal
import socket
import subprocess

from latchkey import eventually


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Redis:
    """A redis-server that keeps nothing over a restart unless told to: Redis(folder, "--appendonly", "yes")."""

    def __init__(self, folder, *arguments):
        self.folder, self.arguments = folder, arguments
        self.port, self.process = free_port(), None

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self):
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                   "--dir", str(self.folder), *self.arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        eventually(self.answers)
        return self

    def answers(self):
        code = self.process.poll()
        assert code is None, f"redis-server ended with {code}"
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
        return False

    def cli(self, *words):
        """One command by redis-cli; returns its text."""
        done = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True, timeout=60,
                              check=True)
        return done.stdout.strip()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)

    def pause(self):
        """Accepts connections and answers nothing, until resume()."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def end(self):
        if self.process and self.process.poll() is None:
            self.kill()

"""Real servers of other kinds, private to one test: on a free loopback port, ended by process id."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from halt import halt
from turns import eventually


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def terminate(process):
    """Ends a server in order, where one was started and still runs."""
    if process and process.poll() is None:
        process.terminate()
        process.wait(timeout=300)


class Redis:
    """A redis-server that keeps nothing over a restart unless told to: Redis(folder, "--appendonly", "yes")."""

    def __init__(self, folder, *arguments):
        self.folder, self.arguments = folder, arguments
        self.port, self.process = free_port(), None

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def url_of(self, _user):
        """For a service that logs in as this one of the manual's users; here there are none."""
        return self.url

    def start(self, no_history=False):
        """A limiter counts what an empty Redis may have forgotten as used for a minute, unless told that there is nothing."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                   "--dir", str(self.folder), *self.arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        eventually(self.answers)
        if no_history:
            answer = self.cli("SET", "latchkey:limit:no-history", "1", "EX", "60")
            assert answer == "OK", answer  # NOREPLICAS, for one: every key would stay closed for a minute
        return self

    def answers(self):
        code = self.process.poll()
        assert code is None, f"redis-server ended with {code}"
        with contextlib.suppress(OSError):
            with self.connect() as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
        return False

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)

    def cli(self, *words):
        """One command by redis-cli; returns its text."""
        done = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True, timeout=300,
                              check=True)
        return done.stdout.strip()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=300)

    def pause(self):
        """Accepts connections and answers nothing, until resume()."""
        halt(self.process.pid)

    def resume(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def end(self):
        if self.process and self.process.poll() is None:
            self.kill()


class Postgres:
    """A private PostgreSQL on a Unix socket. Where the tests run as root it runs as the user of Debian's package. No test
    takes the machine's power away, so what is written need not reach the disk: a crash of the server loses none of it."""

    BIN = "/usr/lib/postgresql/15/bin/"

    def __init__(self, *settings):
        self.settings = settings
        self.user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="latchkey-postgres-"))
        if self.user:
            shutil.chown(self.folder, "postgres", "postgres")
        self.data, self.process, self.databases, self.backups = self.folder / "data", None, 0, 0
        self.init()

    def init(self):
        self.run("initdb", "-D", self.data, "-U", "latchkey", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")

    def run(self, program, *arguments):
        program = self.BIN + program if os.path.exists(self.BIN + program) else program
        subprocess.run([program, *map(str, arguments)], check=True, stdin=subprocess.DEVNULL, cwd=self.folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300, **self.user)

    def url(self, database="postgres"):
        return f"postgresql:///{database}?user=latchkey&host={self.folder}"

    def start(self):
        command = [self.BIN + "postgres", "-D", self.data, "-k", self.folder, "-c", "listen_addresses=", "-c",
                   "shared_buffers=32MB", "-c", "fsync=off", *self.settings]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.folder, **self.user)
        eventually(self.answers, seconds=120)
        return self

    def answers(self):
        code = self.process.poll()
        assert code is None, (self.folder / "log").read_text()[-4000:]
        return subprocess.run([self.BIN + "pg_isready", "-q", "-h", self.folder], check=False).returncode == 0

    def sql(self, text, database="postgres"):
        """As an operator in psql; returns the rows' text."""
        done = subprocess.run(["psql", "-qtAX", "-v", "ON_ERROR_STOP=1", self.url(database), "-c", text], timeout=300,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def create_database(self):
        self.databases += 1
        self.sql(f"CREATE DATABASE test{self.databases}")
        return f"test{self.databases}"

    def stop(self):
        """Fast: sessions are ended, what they had not committed is gone."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=300)

    def kill(self):
        """As a crash. SIGQUIT to the first process: SIGKILL would leave its children in the way of the next start."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=300)

    def restart(self, kill=False):
        self.kill() if kill else self.stop()
        return self.start()

    def backup(self):
        """The files of the whole server as they are now; what is returned puts them back, with an outage meanwhile."""
        copy = self.copy()
        return lambda: self.replace(lambda: copy.rename(self.data))

    def backup_for_recovery(self):
        """The same, recovered as an operator would: by a server that goes on in a timeline of its own."""
        copy = self.copy()

        def recover():
            copy.rename(self.data)
            self.run("touch", self.data / "recovery.signal")
            self.settings = (*self.settings, "-c", "restore_command=false")

        def restore():
            self.replace(recover)
            eventually(lambda: self.sql("SELECT pg_is_in_recovery()") == "f")
        return restore

    def dump(self, database):
        """One database in words; what is returned makes a new cluster of it in the place of this one."""
        self.backups += 1
        dump = self.folder / f"dump{self.backups}"
        self.run("pg_dump", "-Fc", "-f", dump, self.url(database))

        def restore():
            self.replace(self.init)
            self.sql(f"CREATE DATABASE {database}")
            self.run("pg_restore", "-d", self.url(database), "--exit-on-error", dump)
        return restore

    def copy(self):
        self.backups += 1
        copy = self.folder / f"backup{self.backups}"
        self.run("pg_basebackup", "-h", self.folder, "-U", "latchkey", "-D", copy, "-c", "fast", "-X", "stream", "-N")
        return copy

    def replace(self, put):
        self.stop()
        self.data.rename(self.folder / f"replaced{self.backups}")
        put()
        self.start()

    def end(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class PgBouncer:
    """In front of a Postgres, with every database and user of it, on a Unix socket."""

    def __init__(self, server, mode):
        self.user, self.process = server.user, None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="latchkey-pgbouncer-"))
        self.port = free_port()  # a part of the socket's name only
        self.settings = self.folder / "pgbouncer.ini"
        self.settings.write_text(
            f"[databases]\n* = host={server.folder} user=latchkey\n[pgbouncer]\npool_mode = {mode}\nauth_type = any\nlisten_port = {self.port}\n"
            f"unix_socket_dir = {self.folder}\nlogfile = {self.folder}/log\ndefault_pool_size = 20\n")
        if self.user:
            shutil.chown(self.folder, "postgres", "postgres")

    def url(self, database):
        return f"postgresql:///{database}?user=latchkey&host={self.folder}&port={self.port}"

    def start(self):
        self.process = subprocess.Popen(["pgbouncer", "-q", str(self.settings)], stdin=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, cwd=self.folder, **self.user)

        def listens():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            return (self.folder / f".s.PGSQL.{self.port}").exists()
        eventually(listens)
        return self

    def end(self):
        terminate(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


class Nginx:
    """An nginx of one worker; `configuration` is what stands in its http block."""

    def __init__(self, folder, configuration):
        self.folder, self.process = folder, None
        (folder / "nginx.conf").write_text(
            f"worker_processes 1; daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log warn;\n"
            f"events {{ worker_connections 256; }}\nhttp {{ access_log off;\n"
            + "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            + configuration + "}\n")

    def start(self, port):
        self.process = subprocess.Popen(["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e",
                                         str(self.folder / "error.log")], stdin=subprocess.DEVNULL)

        def listens():
            assert self.process.poll() is None, (self.folder / "error.log").read_text()
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                return True
            return False
        eventually(listens)
        return self

    def end(self):
        terminate(self.process)

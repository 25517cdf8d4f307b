"""What the suite runs against: LATCHKEY_TEST_ENGINES names a pairing of engines. Tests reach its store only by these classes."""

import atexit
import contextlib
import dataclasses
import functools
import os
import pathlib
import sqlite3
import subprocess

from servers import Postgres

ENGINES = os.environ.get("LATCHKEY_TEST_ENGINES", "sqlite")


class SqliteFile:
    """latchkey.db in the data directory."""

    settings = {}
    restores = ["file"]
    gap = ("DROP TRIGGER changes_are_dense; DROP TRIGGER changes_follow; DROP TRIGGER changes_stay;"
           "DROP TRIGGER changes_remain; UPDATE sqlite_sequence SET seq = seq + 5 WHERE name = 'changes'")

    def __init__(self, data_dir):
        self.path, self.backups = data_dir / "latchkey.db", 0
        self.hidden = data_dir.parent / "hidden.db"

    def sql(self, text):
        subprocess.run(["sqlite3", "-bail", "-cmd", ".timeout 10000", self.path, text], check=True)

    def backup(self, _way="file"):
        """The store as it is now; what is returned puts that in the store's place."""
        self.backups += 1
        copy = self.path.parent.parent / f"backup{self.backups}.db"
        copy_database(self.path, copy)

        def restore():
            for suffix in ("-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    os.remove(f"{self.path}{suffix}")
            os.replace(copy, self.path)
        return restore

    def hide(self):
        """Nobody reaches the store, until show()."""
        os.rename(self.path, self.hidden)

    def show(self):
        os.rename(self.hidden, self.path)

    @staticmethod
    def empty_registry(data_dir):
        for suffix in ("", "-wal", "-shm"):
            pathlib.Path(f"{data_dir}/replicas.db{suffix}").unlink(missing_ok=True)

    def take_registry_away(self, data_dir):
        """Nobody can report, until bring_registry_back()."""
        self.empty_registry(data_dir)
        (data_dir / "replicas.db").mkdir()

    @staticmethod
    def bring_registry_back(data_dir):
        (data_dir / "replicas.db").rmdir()


def copy_database(source, target):
    """A consistent copy, as `sqlite3 .backup` makes it."""
    with contextlib.closing(sqlite3.connect(source)) as a, contextlib.closing(sqlite3.connect(target)) as b:
        a.backup(b)
        b.execute("PRAGMA journal_mode=WAL")


@functools.cache
def postgres_server():
    """One for all tests of the process."""
    server = Postgres()
    atexit.register(server.end)
    return server.start()


class PostgresDatabase:
    """A database of its own on the one server."""

    restores = ["files", "timeline", "cluster"]  # put back in place, recovered into another timeline, as another cluster
    gap = ("ALTER TABLE changes DISABLE TRIGGER USER; UPDATE changes SET seq = seq + 5 WHERE seq = "
           "(SELECT max(seq) FROM changes); SELECT enable_triggers()")

    def __init__(self, _data_dir):
        self.server = postgres_server()
        self.database = self.server.create_database()
        self.settings = {"LATCHKEY_STORE": self.server.url(self.database)}

    def sql(self, text):
        self.server.sql(text, self.database)

    def backup(self, way="files"):
        make = {"files": self.server.backup, "timeline": self.server.backup_for_recovery,
                "cluster": lambda: self.server.dump(self.database)}
        return make[way]()

    def hide(self):
        self.server.sql(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS false")
        self.server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.database}'")

    def show(self):
        self.server.sql(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS true")

    def empty_registry(self, _data_dir):
        self.sql("TRUNCATE replicas")

    def take_registry_away(self, _data_dir):
        self.sql("CREATE TRIGGER away BEFORE INSERT OR UPDATE ON replicas EXECUTE FUNCTION forbid('away')")

    def bring_registry_back(self, _data_dir):
        self.sql("DROP TRIGGER away ON replicas")


@dataclasses.dataclass(frozen=True)
class Pairing:
    store: type
    streamed: bool = False      # by a relay and Redis to three replicas that know of nothing else
    shared_limit: bool = False  # one limit over all replicas, at Redis too


PAIRINGS = {"sqlite": Pairing(SqliteFile), "postgres": Pairing(PostgresDatabase),
            "redis": Pairing(PostgresDatabase, streamed=True, shared_limit=True)}
PAIRING = PAIRINGS[ENGINES]

"""A database that receives its rows from the store by PostgreSQL's logical replication, taken for the store itself."""

import time

import pytest

from cluster import NetworkPostgres
from load import Caller
from turns import eventually

promises = pytest.mark.promises
SENTENCE = "receives its rows from another one by logical replication"


class Subscriber:
    """All tables of `publisher`, its triggers disabled, as for reports; and so it looks like the store, `changes` and all."""

    def __init__(self, lab, publisher):
        self.publisher, self.server = publisher, lab.keep(NetworkPostgres().start())
        schema = self.server.folder / "schema.sql"
        self.server.run("pg_dump", "--schema-only", "-f", schema, publisher.url())
        self.server.run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", schema, self.server.url())
        tables = publisher.sql("SELECT string_agg(quote_ident(tablename), ',') FROM pg_tables WHERE schemaname = 'public'").split(",")
        for table in tables:
            self.server.sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            publisher.sql(f"ALTER TABLE {table} REPLICA IDENTITY FULL")
        publisher.sql("CREATE PUBLICATION everything FOR ALL TABLES")
        self.server.sql(f"CREATE SUBSCRIPTION copy CONNECTION 'host=127.0.0.1 port={publisher.port} user=latchkey dbname=postgres' "
                        "PUBLICATION everything")
        eventually(self.follows)

    def follows(self):
        last = "SELECT coalesce(max(seq), 0) FROM changes"
        return self.server.sql(last) == self.publisher.sql(last) != "0"


@promises("A subscriber of logical replication is neither", "It is recognised by its subscription and refused")
@pytest.mark.short
def test_a_logical_subscriber_is_refused_by_every_service(lab):
    """While it follows, while it stands still, and once it is none any more: a key that was revoked at the publisher, and
    confirmed as revoked, is admitted by nobody who reads the copy."""
    publisher = NetworkPostgres()
    publisher.settings += ("-c", "wal_level=logical")
    lab.keep(publisher.start())
    manager = lab.manager("manager", LATCHKEY_STORE=publisher.url()).start()
    near = lab.replica("near", LATCHKEY_STORE=publisher.url()).start()
    with lab.watch([manager], [near], limits=()) as watch:
        copy = Subscriber(lab, publisher)
        far = lab.replica("far", LATCHKEY_STORE=copy.server.url()).start("listening")
        name = watch.admins[0].keys and "spare-0"
        token = watch.load.keys[name]
        eventually(lambda: SENTENCE in far.tail())
        assert Caller(far)("GET", "/v1/authorize", token)[0] == 503 and not far.ready()
        other = lab.manager("other", LATCHKEY_STORE=copy.server.url()).launch()
        assert other.process.wait(timeout=300) == 1 and SENTENCE in other.tail()
        copy.server.sql("ALTER SUBSCRIPTION copy DISABLE")
        assert watch.disable().confirmed
        assert Caller(far)("GET", "/v1/authorize", token)[0] == 503
        copy.server.sql("ALTER SUBSCRIPTION copy SET (slot_name = NONE); DROP SUBSCRIPTION copy")
        begun = time.monotonic()
        while time.monotonic() < begun + 3:
            assert Caller(far)("GET", "/v1/authorize", token)[0] != 200, "revoked, and confirmed"
        watch.enable()

"""PgBouncer between the services and PostgreSQL: in session mode it changes nothing, any other is refused with a sentence."""

import shutil

import pytest

from latchkey import Relay, Service, eventually
from servers import PgBouncer, Redis

pytestmark = [pytest.mark.engines("postgres", reason="about PostgreSQL"),
              pytest.mark.skipif(not (shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")),
                                 reason="no pgbouncer")]
SENTENCE = "LATCHKEY_STORE leads to a pooler that gives each transaction another connection"
REMEDY = "let it lead to PostgreSQL itself, or to a pooler in session mode"


@pytest.fixture
def pooled(idle_stack):
    """Makes poolers in front of the stack's database; returns their URLs."""
    made = []

    def make(mode):
        made.append(PgBouncer(idle_stack.store.server, mode).start())
        return made[-1].url(idle_stack.store.database)
    yield make
    for pooler in made:
        pooler.end()


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_that_shares_its_connections_is_refused(idle_stack, pooled, tmp_path, mode):
    idle_stack.start()  # the tables are there, and others use the server
    settings = {"LATCHKEY_STORE": pooled(mode)}
    redis = Redis(tmp_path).start()
    keys = Service("keys", tmp_path / "k" / "data", **settings).launch()
    assert keys.process.wait(timeout=300) == 1 and SENTENCE in keys.tail() and REMEDY in keys.tail()
    tokens = Service("tokens", tmp_path / "t" / "data", **settings).start("listening")
    relay = Relay("relay", tmp_path / "r" / "data", LATCHKEY_STREAM=redis.url, **settings).start()
    for service in (tokens, relay):
        eventually(lambda s=service: SENTENCE in s.tail() and REMEDY in s.tail())
    assert not tokens.ready()
    for service in (keys, tokens, relay):
        assert "PostgreSQL error" not in service.tail(), "recognised before a statement fails, and where none does"
    for service in (tokens, relay):
        service.end()
    redis.end()


def test_a_pooler_in_session_mode_changes_nothing(idle_stack, pooled, tmp_path):
    url = pooled("session")
    redis = Redis(tmp_path).start()
    for service in (idle_stack.keys, *idle_stack.replicas):
        service.settings["LATCHKEY_STORE"] = url
    idle_stack.start()
    relay = Relay("relay", tmp_path / "r" / "data", LATCHKEY_STORE=url, LATCHKEY_STREAM=redis.url).start()
    made = idle_stack.admin()("POST", "/v1/keys", {"userId": "alice", "requestsPerMinute": 10}).json()
    eventually(lambda: idle_stack.holder(made["accessKey"])("GET", "/v1/plan").status == 200)
    done = idle_stack.admin()("PATCH", f"/v1/keys/{made['key']['keyId']}?wait=enforced&timeout=1m", {"disabled": True})
    assert done.status == 200, done.body
    assert idle_stack.holder(made["accessKey"])("GET", "/v1/plan").status != 200
    eventually(lambda: redis.cli("EXISTS", "latchkey:{feed}:head") == "1")
    relay.end()
    redis.end()

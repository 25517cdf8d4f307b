"""What packaging/ gives to operators: alerts and a dashboard. A real Prometheus reads both services and answers every
expression of them; the names of metrics are those of the sources, and docs/operations.md explains each alert."""

import functools
import json
import os
import pathlib
import re
import subprocess
import urllib.parse
import urllib.request

import pytest

from latchkey import eventually
from servers import free_port, terminate

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACK = ROOT / "packaging/prometheus"
RULES = PACK / "latchkey.rules.yaml"
DASHBOARD = ROOT / "packaging/grafana/latchkey.json"
BIN = pathlib.Path(os.environ.get("PROMETHEUS_BIN", "/usr/bin"))
METRIC = re.compile(r"\blatchkey_[a-z_]+")
PARTS_OF_HISTOGRAMS = re.compile(r"_(bucket|sum|count)$")
VARIABLES = {"$__rate_interval": "1m", "$__range": "1h", "$instance": ".*"}


def promtool(*words):
    return subprocess.run([BIN / "promtool", *words], capture_output=True, text=True, timeout=300, check=False)


def metrics_in(text):
    return {PARTS_OF_HISTOGRAMS.sub("", name) for name in METRIC.findall(text)}


def alerts():
    return re.findall(r"- alert: (\w+)", RULES.read_text())


def expressions_of_alerts():
    """Each on a line, or folded over several."""
    found = re.findall(r"^ +expr: (?:>-\n((?: {10}.+\n)+)|(.+)\n)", RULES.read_text(), re.M)
    return [folded or line for folded, line in found]


def expressions_of_dashboard():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def metrics_of_sources():
    """Quoted where they are made; two of the HTTP server's begin with a common prefix."""
    return {name for source in (ROOT / "src").rglob("*.cpp") for name in re.findall(r'"(latchkey_[a-z_]+)"', source.read_text())}


def test_rules_are_read_by_promtool():
    for words in (("check", "rules", RULES), ("check", "config", PACK / "prometheus.yaml")):
        done = promtool(*words)
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_for_its_fault_and_none_for_services_that_are_well():
    done = promtool("test", "rules", PACK / "latchkey.rules.test.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    fired = set(re.findall(r'alertname="(\w+)"', (PACK / "latchkey.rules.test.yaml").read_text()))
    assert fired == set(alerts()), "an alert without a test, or a test without an alert"


def test_metrics_that_are_asked_for_exist():
    asked = metrics_in(" ".join(expressions_of_alerts() + expressions_of_dashboard()))
    assert asked and asked <= metrics_of_sources(), asked - metrics_of_sources()
    assert len(expressions_of_alerts()) == len(alerts())


def test_each_alert_is_explained():
    section = (ROOT / "docs/operations.md").read_text().split("\n## Alerts\n")[1].split("\n## ")[0]
    explained = re.findall(r"^\| `(\w+)` \|", section, re.M)
    assert explained == alerts(), "the table of docs/operations.md names the alerts in the order of the file"


def test_the_dashboard_is_one_that_grafana_takes():
    board = json.loads(DASHBOARD.read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids) and board["uid"] == "latchkey" and board["schemaVersion"] >= 38
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert 0 <= place["x"] and place["x"] + place["w"] <= 24, panel["title"]
        assert panel["type"] == "row" or panel["targets"], panel["title"]
    declared = {f"${variable['name']}" for variable in board["templating"]["list"]} | set(VARIABLES)
    assert set(re.findall(r"\$\w+", " ".join(expressions_of_dashboard()))) <= declared


class Prometheus:
    def __init__(self, folder, targets):
        self.port, self.folder = free_port(), folder
        jobs = "".join(f"  - job_name: latchkey-{name}\n    static_configs:\n      - targets: [{json.dumps(address)}]\n"
                       for name, address in targets.items())
        (folder / "prometheus.yaml").write_text(
            f"global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\nrule_files:\n  - {RULES}\nscrape_configs:\n{jobs}")

    def __enter__(self):
        with open(self.folder / "prometheus.log", "wb") as log:
            self.process = subprocess.Popen(
                [BIN / "prometheus", f"--config.file={self.folder}/prometheus.yaml", f"--storage.tsdb.path={self.folder}/tsdb",
                 f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        terminate(self.process)

    def get(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return json.load(answer)["data"]

    def scraped(self):
        """Whether each target was read twice, so that rates are known."""
        try:
            counts = self.get("query", query="count_over_time(latchkey_http_requests_total[1m])")["result"]
        except OSError:
            return False
        return len(counts) == 2 and all(float(count["value"][1]) >= 3 for count in counts)


@pytest.fixture
def prometheus(stack, tmp_path):
    addresses = {service.name: service.url.split("//")[1] for service in (stack.keys, stack.replicas[0])}
    access_key, key = stack.admitted_key(requests_per_minute=1)
    assert stack.admin()("PATCH", f"/v1/keys/{key['keyId']}?wait=enforced", {"requestsPerMinute": 2}).status == 200
    holder = stack.replicas[0].client(access_key)
    for _ in range(4):
        holder("GET", "/v1/tokens/ETH")
    with Prometheus(tmp_path, addresses) as it:
        eventually(it.scraped)
        for _ in range(4):
            holder("GET", "/v1/tokens/ETH")
        yield it


def with_values(expression):
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    return expression


def test_a_real_prometheus_answers_every_expression(prometheus, stack):
    known = metrics_in("".join(service.client()("GET", "/metrics").body.decode() for service in (stack.keys, stack.replicas[0])))
    answered = 0
    for expression in expressions_of_dashboard() + expressions_of_alerts():
        ask = functools.partial(prometheus.get, "query", query=with_values(expression))
        if expression in expressions_of_dashboard() and metrics_in(expression) <= known:
            eventually(lambda ask=ask: ask()["result"])
            answered += 1
        else:
            ask()  # an error of Prometheus is one of the test
    assert answered > 20
    rules = prometheus.get("rules")["groups"][0]["rules"]
    assert {rule["name"] for rule in rules} == set(alerts())
    eventually(lambda: all(rule["health"] == "ok" for rule in prometheus.get("rules")["groups"][0]["rules"]))
    firing = [alert for alert in prometheus.get("alerts")["alerts"] if alert["state"] == "firing"]
    assert not firing, "services that are well"

"""Labels of keys, and the keys that a selector means; over HTTP and by the command line."""

import json


def ids_of(stack, selector, **options):
    query = "&".join([f"selector={selector}", *(f"{name}={value}" for name, value in options.items())])
    page = stack.admin()("GET", f"/v1/keys?{query}").json()
    return {key["keyId"] for key in page["keys"]}


def test_keys_are_found_by_their_labels(stack):
    labelled = {}
    for name, labels in {"a": {"team": "billing", "env": "prod"}, "b": {"team": "billing", "env": "dev"}, "c": {"team": "search"},
                         "d": {}}.items():
        _, key = stack.admitted_key(user=f"user-{name}", labels=labels)
        assert key["labels"] == labels
        labelled[name] = key["keyId"]
    expected = {"team=billing": "ab", "team=billing,env!=prod": "b", "env!=prod": "b", "team!=billing": "c", "team": "abc",
                "!team": "d", "team,!env": "c", "team=nobody": ""}
    for selector, names in expected.items():
        assert ids_of(stack, selector) == {labelled[name] for name in names}, selector
    assert ids_of(stack, "team", userId="user-a") == {labelled["a"]}
    assert ids_of(stack, "team", status="disabled") == set()
    first = stack.admin()("GET", "/v1/keys?selector=team&limit=2").json()
    second = stack.admin()("GET", f"/v1/keys?selector=team&limit=2&cursor={first['nextCursor']}").json()
    assert [len(first["keys"]), len(second["keys"]), second["nextCursor"]] == [2, 1, None]


def test_labels_are_in_the_audit_trail_and_survive_other_changes(stack):
    admin = stack.admin()
    _, key = stack.admitted_key(labels={"team": "x"})
    path = f"/v1/keys/{key['keyId']}"
    admin("PATCH", path, {"name": "renamed"})
    admin("POST", f"{path}/rotate")
    assert admin("GET", path).json()["labels"] == {"team": "x"}
    admin("PATCH", path, {"labels": None})
    changes = admin("GET", "/v1/changes?limit=1000").json()["changes"]
    seen = [change["key"]["labels"] for change in changes if change.get("key", {}).get("keyId") == key["keyId"]]
    assert seen == [{"team": "x"}] * 3 + [{}]


def test_labels_from_the_command_line(stack):
    made = json.loads(stack.cli("key", "create", "--user", "alice", "--requests-per-minute", "5", "--label", "team=x", "--label",
                                "env=prod", "-o", "json").stdout)["key"]
    assert made["labels"] == {"team": "x", "env": "prod"}
    changed = json.loads(stack.cli("key", "update", made["keyId"], "--label", "env-", "--label", "tier=1", "-o", "json").stdout)
    assert changed["labels"] == {"team": "x", "tier": "1"}
    for labels in (("team=a", "team=b"), ("team=a", "team-")):
        done = stack.cli("key", "update", made["keyId"], *(word for label in labels for word in ("--label", label)), check=False)
        assert done.returncode == 2 and '--label: "team" is ' in done.stderr, done.stderr
    assert stack.cli("key", "list", "--selector", "team=x,!env", "--quiet").stdout.strip() == made["keyId"]
    assert stack.cli("key", "list", "--selector", "team=y", "--quiet").stdout.strip() == ""

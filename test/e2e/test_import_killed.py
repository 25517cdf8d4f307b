"""`latchkey key create --from`: each line makes one key, whoever is killed in between."""

import collections
import json
import subprocess

from latchkey import BINARY, LONG, clean_environment, eventually

COUNT = 10_000 if LONG else 300


def test_each_line_makes_one_key_through_three_kills(stack, tmp_path):
    lines, issued = tmp_path / "keys.jsonl", tmp_path / "issued.jsonl"
    lines.write_text("".join(json.dumps({"userId": f"u{i}", "requestsPerMinute": 5}) + "\n" for i in range(COUNT)))
    command = [BINARY, "key", "create", "--from", str(lines), "--issued", str(issued)]
    environment = {**clean_environment(), "LATCHKEY_DATA_DIR": str(stack.data_dir)}

    def made():
        return issued.read_bytes().count(b"\n") if issued.exists() else 0

    for quarter, victim in enumerate(("command", "service", "command"), start=1):
        running = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        eventually(lambda q=quarter: made() >= q * COUNT // 4, seconds=300)
        if victim == "service":
            stack.keys.kill()
            assert running.wait(timeout=120) == 1, "the command says that it could not go on"
            stack.keys.start()
        else:
            running.kill()
            running.wait(timeout=60)
        assert made() < COUNT, "it was killed in between"
    assert subprocess.run(command, env=environment, timeout=600, check=False).returncode == 0
    rows = [json.loads(line) for line in issued.read_text().splitlines()]
    assert [row["userId"] for row in rows] == [f"u{i}" for i in range(COUNT)]
    assert len({row["keyId"] for row in rows}) == len({row["accessKey"] for row in rows}) == COUNT
    there = collections.Counter()
    admin, cursor = stack.admin(), ""
    while cursor is not None:
        page = admin("GET", f"/v1/keys?limit=500{cursor and '&cursor=' + cursor}").json()
        there.update(key["userId"] for key in page["keys"])
        cursor = page["nextCursor"]
    assert there == {f"u{i}": 1 for i in range(COUNT)}
    holder = stack.holder(rows[-1]["accessKey"])
    eventually(lambda: holder("GET", "/v1/tokens").status == 200)

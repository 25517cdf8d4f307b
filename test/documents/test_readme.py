"""The README's first screen: what it tells to type runs, and answers what it shows."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from latchkey import BINARY, clean_environment

README = (pathlib.Path(__file__).resolve().parents[2] / "README.md").read_text()


def blocks(language):
    return [text for name, text in re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S) if name == language]


def without_id(lines):
    return [line for line in lines if not re.fullmatch(r"[0-9a-f-]{36}", line)]


def problem_in(answer):
    """Its document, but for the number of the request."""
    document = json.loads(answer.splitlines()[-1])
    assert re.fullmatch("/v1/requests/[0-9a-f]{32}", document.pop("instance"))
    return document


@pytest.fixture
def shell(stack):
    """Runs a script where the README has its reader stand, but that the services listen elsewhere."""
    address = stack.replicas[0].url.split("//")[1]
    environment = {**clean_environment(), "LATCHKEY_DATA_DIR": str(stack.data_dir), "PATH": f"{pathlib.Path(BINARY).parent}:{os.environ['PATH']}"}

    def run(script):
        script = script.replace(" --quiet)", " --quiet --wait)", 1).replace(" --yes --quiet", " --yes --quiet --wait")  # on a busy machine
        done = subprocess.run(["bash", "-ec", script.replace("localhost:7071", address)], capture_output=True, text=True, timeout=300,
                              env=environment, check=False)
        assert done.returncode == 0, (script, done.stdout, done.stderr)
        return done.stdout
    return run


def test_what_the_first_screen_tells_to_type(shell):
    first, disable, changes = blocks("sh")[:3]
    shown = blocks("")
    request = first.splitlines()[-1]
    assert request.startswith("curl ") and request == disable.splitlines()[-1]
    answers = shell("\n".join([first, request, request, "echo FOURTH", request, "echo DISABLED", disable, "echo CHANGES", changes]))
    admitted, rest = answers.split("FOURTH\n")
    fourth, rest = rest.split("DISABLED\n")
    disabled, listed = rest.split("CHANGES\n")

    example = next(block for block in shown if block.startswith("HTTP/1.1 200"))
    assert admitted.count("HTTP/1.1 200 OK") == 3
    assert json.loads(example.splitlines()[-1]) == json.loads(admitted.splitlines()[-1])
    names = re.compile(r"^([A-Za-z-]+): ", re.M)
    assert names.findall(example) == names.findall(admitted.split("\n\n")[0]), "its head"

    for answer, problem in ((fourth, "rate-limited"), (disabled, "key-disabled")):
        example = next(block for block in shown if f"/problems/{problem}" in block)
        assert without_id(example.splitlines())[0] == without_id(answer.splitlines())[0]
        assert problem_in(example) == problem_in(answer)

    example = next(block for block in shown if block.startswith("POSITION"))
    actions = [line.split()[3] for line in example.splitlines()[1:]]
    assert [line.split()[3] for line in listed.splitlines()[1:]] == actions

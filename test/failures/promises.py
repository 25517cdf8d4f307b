"""What docs/operations.md promises, row by row and sentence by sentence, and which scenario holds it."""

import ast
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs/operations.md"
SECTIONS = ("Topologies", "Redis: what is supported, and who may do what", "PostgreSQL: which database, and its triggers", "When a part dies",
            "Backup and restore", "Confirmed revocation", "Upgrades", "Upgrades, step by step")


def sections(text):
    """name → text of the sections that are checked."""
    parts = re.split(r"^## (.+)$", text, flags=re.M)
    return {name: body for name, body in zip(parts[1::2], parts[2::2], strict=True) if name in SECTIONS}


def rows(section):
    """The first cells of its table without the heading, as "| … |"."""
    cells = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("|")]
    return [f"| {cell} |" for cell in cells[2:]]


def sentences(section):
    """Of its paragraphs and bullets."""
    prose = re.sub(r"^```.*?^```", "", section, flags=re.M | re.S)
    prose = "\n".join(line for line in prose.splitlines() if not line.startswith("|"))
    blocks = re.split(r"\n\s*\n|^- |^(?=\d+\. )", prose, flags=re.M)
    flat = [" ".join(block.split()) for block in blocks]
    return [one for block in flat for one in re.split(r"(?<=[^0-9][.!?])\s+(?=[A-Z`(*])", block) if one]


def promised(text):
    return [one for body in sections(text).values() for one in rows(body) + sentences(body)]


def held(folders=(HERE, HERE.parent / "e2e")):
    """Beginning of a row or sentence → "file::test", as the marks `promises("…")` say."""
    found = {}
    for file in (file for folder in folders for file in sorted(folder.glob("test_*.py"))):
        for function in (node for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)):
            for call in (node for node in function.decorator_list if isinstance(node, ast.Call)):
                if ast.unparse(call.func).split(".")[-1] == "promises":
                    found |= {argument.value: f"{file.name}::{function.name}" for argument in call.args}
    return found


def covers(beginning, promise):
    """A row is named whole, a sentence by its first words."""
    return promise == f"| {beginning} |" if promise.startswith("|") else promise.startswith(beginning)

"""Holds the shape of the house: includes run one way, rooms stay small, nothing lies about unused.

The allowed directions are read from CMakeLists.txt (`latchkey_folder(name USES …)`), so build and rule cannot differ.
"""

import fnmatch
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
# The one street of docs/architecture.md. A folder may use those before it; CMake says which of them it does.
STREET = [["base"], ["key", "http", "catalog", "redis"], ["jwt", "report", "service", "pages", "rules"],
          ["store", "feed", "limit", "config", "data_dir"], ["commands", "view", "relay", "http_client", "usage"],
          ["access", "replica", "supervise", "admin_identity"], ["keys_service", "tokens_service", "notices"], ["cli"]]
MAX_FILE_LINES = 400
# "who" means a person (CONTRIBUTING.md). So few places speak of one; a thread, a file or a process is "it".
MAX_WHO = 8


def declared_uses():
    text = (ROOT / "CMakeLists.txt").read_text()
    uses = {}
    for name, rest in re.findall(r"^latchkey_folder\((\w+)([^)]*)\)", text, re.M):
        found = re.search(r"USES ([\w ]+?)(?: LINKS|$)", rest.strip())
        uses[name] = set(found.group(1).split()) if found else set()
    return uses


def closure(uses, name):
    seen, todo = {name}, [name]
    while todo:
        for other in uses[todo.pop()]:
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return seen


def all_sources():
    return [p for p in SRC.rglob("*") if p.suffix in (".cpp", ".hpp")]


def sources():
    """All but src/main, the parts list at the street's end, which may name anything."""
    return [p for p in all_sources() if p.parent != SRC / "main"]


def is_test(path):
    """Tests, and what only they use: the folders `testing`."""
    return path.stem.endswith(("_test", "_suite")) or path.parent.name == "testing"


def comments_of(text):
    """(line number, text) of each comment that begins with //."""
    for number, line in enumerate(text.splitlines(), 1):
        found = re.search(r"(?:^|\s)//(.*)", line)
        if found:
            yield number, found.group(1)


def includes_of(path):
    return re.findall(r'^#include "([^"]+)"', path.read_text(), re.M)


class House(unittest.TestCase):
    def test_every_folder_is_on_the_street(self):
        self.assertEqual({f.name for f in SRC.iterdir() if f.is_dir()}, {"main"} | {n for row in STREET for n in row})
        self.assertEqual(set(declared_uses()), {n for row in STREET for n in row})

    def test_uses_run_one_way(self):
        rank = {name: i for i, row in enumerate(STREET) for name in row}
        for name, used in declared_uses().items():
            for other in used:
                # store and feed share a row; the feed of an engine reads what its store writes.
                self.assertTrue(rank[other] < rank[name] or (name, other) == ("feed", "store"), f"{name} uses {other}")

    def test_includes_stay_within_declared_uses(self):
        uses = declared_uses()
        for path in sources():
            folder = path.relative_to(SRC).parts[0]
            allowed = closure(uses, folder)
            for include in includes_of(path):
                self.assertIn(include.split("/")[0], allowed, f"{path.relative_to(ROOT)} includes {include}")

    def test_only_main_names_engines(self):
        engines = re.compile(r'"(store|feed|replica|usage)/(sqlite|postgres|redis)/|"limit/(local|redis)/|"relay/redis/')
        for path in sources():
            folder = path.relative_to(SRC).parts[0]
            # relay/redis writes what feed/redis reads.
            if folder in ("store", "feed", "limit", "relay", "replica", "usage") or is_test(path):
                continue
            self.assertIsNone(engines.search(path.read_text()), path)

    def test_transport_knows_no_domain(self):
        for path in (SRC / "http").rglob("*.?pp"):
            words = re.search(r"\b(access key|KeyId|key_id|rate.?limit|latchkey-position)\b", path.read_text(), re.I)
            self.assertIsNone(words, f"{path}: {words}")

    def test_rooms_are_small(self):
        for path in all_sources():
            if not is_test(path):
                lines = len(path.read_text().splitlines())
                self.assertLessEqual(lines, MAX_FILE_LINES, f"{path.relative_to(ROOT)} has {lines} lines")

    def test_files_are_opened_in_one_way(self):
        """base/regular_file.hpp: what is no regular file makes nobody wait. Who opens otherwise asks it first, or opens what
        no operator names: /proc, /dev/null, a person's command its input (which may be a pipe)."""
        otherwise = re.compile(r"(?<![\w:])::open\(|\bstd::ifstream\b|\bfopen\(|\bofstream\b")
        without = {"base/regular_file.cpp", "base/boot_id.cpp", "main/standard_streams.hpp", "data_dir/small_file.cpp",
                   "store/sqlite/file_state.cpp", "http/unix_listener.cpp"}  # of which foreign_wal.cpp asks first
        for path in all_sources():
            name, text = str(path.relative_to(SRC)), path.read_text()
            if is_test(path) or name in without:
                continue
            if otherwise.search(text):
                self.assertTrue("check_regular(" in text, f"{name} opens files past base/regular_file.hpp")

    def test_only_tests_use_what_is_for_tests(self):
        for path in all_sources():
            if not is_test(path):
                for include in includes_of(path):
                    self.assertNotIn("/testing/", include, path)

    def test_who_is_a_person(self):
        found = [f"{path.relative_to(ROOT)}:{number}: {line.strip()}" for path in all_sources()
                 for number, line in enumerate(path.read_text().splitlines(), 1)
                 if re.search(r"\b(who|whom|whose|whoever)\b", line, re.I)]
        self.assertLessEqual(len(found), MAX_WHO, "\n".join(["of these, which mean a person?", *found]))

    def test_what_a_comment_names_exists(self):
        """Files ("feed/record.hpp", from src, from the root or by its last parts) and members ("View::reset()")."""
        code = {path: path.read_text() for folder in ("src", "test", "bench", "fuzz")
                for path in (ROOT / folder).rglob("*.?pp")}
        files = {"/" + str(path.relative_to(ROOT)) for folder in ("src", "test", "bench", "fuzz", "docs", "clients", "cmake")
                 for path in (ROOT / folder).rglob("*.*") if "node_modules" not in path.parts}
        files |= {"/" + path.name for path in ROOT.glob("*.*")}
        by_last_name = {}
        for file in files:
            by_last_name.setdefault(file.rsplit("/", 1)[1], []).append(file)
        members = {name for text in code.values()
                   for line in text.splitlines() for name in re.findall(r"(\w+)\(", line.split("//")[0])}
        for path, text in code.items():
            for number, comment in comments_of(text):
                where = f"{path.relative_to(ROOT)}:{number}"
                for file in re.findall(r"[\w][\w/.-]*\.(?:hpp|cpp|md|lua|sql|py)\b", comment):
                    there = by_last_name.get(file.rsplit("/", 1)[-1], [])
                    self.assertTrue(any(other.endswith("/" + file) for other in there), f"{where}: {file} does not exist")
                for owner, member in re.findall(r"\b([A-Z]\w+)::(\w+)\(\)", comment):
                    self.assertIn(member, members, f"{where}: {owner}::{member}() does not exist")

    def test_what_a_page_names_exists(self):
        """`src/key/issue.hpp`, or by its last parts: `key/issue.hpp`, `store/*/rows.cpp`. And links lead somewhere."""
        files = ["/" + str(path.relative_to(ROOT)) for folder in ("src", "test", "bench", "fuzz", "docs", "clients")
                 for path in (ROOT / folder).rglob("*.*") if "node_modules" not in path.parts]
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
            for number, line in enumerate(page.read_text().splitlines(), 1):
                for file in re.findall(r"`([\w.*-]+/[\w./*-]+\.(?:hpp|cpp|md|lua|sql|py))`", line):
                    there = any(fnmatch.fnmatch(other, "*/" + file) for other in files)
                    self.assertTrue(there, f"{page.relative_to(ROOT)}:{number}: {file} does not exist")
                for target in re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", line):
                    self.assertTrue((page.parent / target).exists(),
                                    f"{page.relative_to(ROOT)}:{number}: the link to {target} leads nowhere")

    def test_every_header_is_included(self):
        included = {i for p in [*all_sources(), *(ROOT / "fuzz").glob("*.cpp")]
                    for i in includes_of(p)}
        for path in SRC.rglob("*.hpp"):
            self.assertIn(str(path.relative_to(SRC)), included, "a header that nobody includes")


if __name__ == "__main__":
    unittest.main()

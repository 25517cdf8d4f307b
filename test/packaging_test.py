"""Holds what cannot be built here to what can: the image of packaging/Dockerfile has the libraries that the program
needs and none of the secrets beside it, compose.yaml and the README name settings that exist, and all of them."""

import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ.get("LATCHKEY_BINARY", str(ROOT / "build/release/latchkey"))
IN_EVERY_IMAGE = {"libc6", "libgcc-s1"}
CLIENT_VARIABLES = {"LATCHKEY_URL", "LATCHKEY_ADMIN_TOKEN", "LATCHKEY_ACCESS_KEY", "LATCHKEY_CONFIG"}


def output_of(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def packages_needed():
    """Of the program as ldd finds its libraries, but for those that only they need."""
    own = set(re.findall(r"\(NEEDED\).*\[(.+)\]", output_of("readelf", "-d", BINARY)))
    paths = dict(re.findall(r"(\S+) => (\S+)", output_of("ldd", BINARY)))
    files = [pathlib.Path(paths[name]).resolve() for name in own if name in paths]
    # By the last two parts: whether /lib is /usr/lib is not the same to dpkg as to the loader.
    return {output_of("dpkg", "-S", f"*/{file.parent.name}/{file.name}").split(":")[0] for file in files}


def settings():
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LATCHKEY_")}
    names = re.findall(r"^(\w+) = ", output_of(BINARY, "keys", "--print-config", env=environment), re.M)
    return {f"LATCHKEY_{name.upper()}" for name in names}


def lines_of(file):
    return set((ROOT / file).read_text().splitlines())


class Packaging(unittest.TestCase):
    def test_the_image_has_the_libraries_that_the_program_needs(self):
        last_stage = (ROOT / "packaging/Dockerfile").read_text().split("\nFROM ")[-1]
        installed = set(re.search(r"--no-install-recommends (.+?)\s*\\", last_stage).group(1).split())
        missing = packages_needed() - installed - IN_EVERY_IMAGE - {"libstdc++6"}  # which others need too
        self.assertEqual(missing, set())

    def test_compose_names_settings_that_exist(self):
        named = set(re.findall(r"\bLATCHKEY_\w+", (ROOT / "compose.yaml").read_text()))
        self.assertTrue(named)
        self.assertEqual(named - settings(), set())

    def test_compose_probes_leave_nothing_behind_and_wait_for_a_start(self):
        probes = re.findall(r"healthcheck: (.+)", (ROOT / "compose.yaml").read_text())
        self.assertTrue(probes)
        self.assertEqual([probe for probe in probes if not re.match(r'\{ <<: \*probe, test: \["CMD", ', probe)], [])

    def test_compose_begins_with_commands_that_the_program_understands(self):
        head = "".join(re.findall(r"^#   (.+\n)", (ROOT / "compose.yaml").read_text(), re.M))
        commands = re.findall(r"\blatchkey ([^)\n]+)", head)
        self.assertTrue(commands)
        nowhere = {"LATCHKEY_URL": "http://127.0.0.1:1", "LATCHKEY_ADMIN_TOKEN": "none"}
        for command in commands:
            with self.subTest(command):
                done = subprocess.run([BINARY, *command.split()], env=nowhere, capture_output=True, text=True)
                self.assertEqual(done.returncode, 1, done.stderr)  # no answer; 2 is a command line that it does not take

    def test_what_is_not_committed_is_not_sent_to_the_build_of_the_image(self):
        # What Git looks for in every folder, Docker does only where that is said.
        # What Git makes an exception of ("!") may stay away as well.
        kept_local = {line.strip("/") if line.startswith("/") else f"**/{line.strip('/')}" for line in lines_of(".gitignore")
                      if not line.startswith("!")}
        self.assertIn(".env", kept_local)
        self.assertEqual((kept_local | {".git"}) - lines_of(".dockerignore"), set())

    def test_the_program_is_hardened(self):
        """cmake/hardening.cmake, as it came out."""
        headers, dynamic, notes = (output_of("readelf", "-W", option, BINARY) for option in ("-hl", "-d", "-n"))
        symbols = output_of("nm", "-D", "--undefined-only", BINARY)
        self.assertRegex(headers, r"Type:\s+DYN ")
        self.assertRegex(dynamic, r"\(FLAGS_1\)\s+Flags: .*\bNOW\b.*\bPIE\b")
        self.assertIn("GNU_RELRO", headers)
        self.assertRegex(headers, r"GNU_STACK\s.*\bRW +0x")
        self.assertRegex(symbols, r"__stack_chk_fail")
        self.assertRegex(symbols, r"__\w+_chk@", "_FORTIFY_SOURCE")
        if "X86-64" in headers:
            self.assertRegex(notes, r"x86 feature: .*\bSHSTK\b")
            landings = pathlib.Path(BINARY).read_bytes().count(b"\xf3\x0f\x1e\xfa")  # endbr64
            self.assertGreater(landings, 3, "indirect jumps land anywhere")

    def test_the_readme_names_every_setting(self):
        table = (ROOT / "README.md").read_text().split("## Settings")[1]
        named = set(re.findall(r"`(LATCHKEY_\w+)`", table))
        self.assertEqual(settings() - named, set())
        self.assertEqual(named - settings() - CLIENT_VARIABLES, set())


if __name__ == "__main__":
    unittest.main()

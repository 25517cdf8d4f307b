"""A library that gives one process clocks of its own and a disk that fails."""

import pathlib
import subprocess


class Machine:
    def __init__(self, folder):
        folder.mkdir()
        self.folder, library = folder, folder / "faulty_machine.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, pathlib.Path(__file__).with_name("faulty_machine.c")], check=True)
        self.environment = {"LD_PRELOAD": str(library), "FAULTS": str(folder)}

    def say(self, name, word):
        """At once, never half of it."""
        (self.folder / "new").write_text(str(word))
        (self.folder / "new").rename(self.folder / name)

    def wall(self, seconds):
        self.say("wall", seconds)

    def boot(self, seconds):
        self.say("boot", seconds)

    def fsync(self, fault):
        """"slow", "EIO" or "", which ends it."""
        self.say("fsync", fault)

    def pwrite(self, nth):
        """Of so many writes one finds the disk full; 0: none does."""
        self.say("pwrite", nth)

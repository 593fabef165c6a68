"""Run the steps of contrib/Dockerfile without a builder of images, in a root of Debian that mmdebstrap makes.

`try_image.py DIST`, as root, where Debian's packages and a package index are reached. The base image is stood in for by
Debian with a Python in /usr/local, so this tries the steps and what comes of them, not the image itself.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

SETTINGS = ("etc/resolv.conf", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt", "etc/apt/apt.conf.d")
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


class Step(NamedTuple):
    """An instruction and what follows it."""

    word: str
    rest: str


def steps(dockerfile: str) -> list[Step]:
    """The instructions, each on one line."""
    joined = re.sub(r"(?m)^#.*\n", "", dockerfile).replace("\\\n", " ")
    return [Step(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


class Root:
    """A root of Debian, and how the image runs what is in it."""

    def __init__(self, home: Path, version: str) -> None:
        self.home, self.version = home, version
        self.user, self.place = "0", "/"

    def make(self) -> None:
        words = [
            "mmdebstrap",
            "--quiet",
            "--variant=apt",
            "--include=python3-venv,ca-certificates",
            "bookworm",
            self.home,
        ]
        subprocess.run(words, check=True)
        for name in SETTINGS:
            here, there = Path("/", name), self.home / name
            if here.is_dir():
                shutil.copytree(here, there, dirs_exist_ok=True, ignore=shutil.ignore_patterns("docker*"))
            elif here.is_file():
                shutil.copyfile(here, there)
        self.run("python3 -m venv --copies /usr/local")

    def run(self, command: str) -> str:
        given = {key: value for key, value in os.environ.items() if key.startswith("PIP_") and "FIND" not in key}
        environment = {**given, "PATH": PATH, "HOME": "/tmp", "VERSION": self.version, "LC_ALL": "C.UTF-8"}
        words = ["chroot", f"--userspec={self.user}:{self.user}", self.home, "sh", "-ec", f"cd {self.place}; {command}"]
        done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            sys.exit(f"{command}\nended with {done.returncode}: {done.stdout}")
        return done.stdout

    def take(self, step: Step, context: Path) -> None:
        """One instruction; those that only say how it is called are taken down."""
        if step.word == "RUN":
            self.run(step.rest)
        elif step.word == "COPY":
            *files, target = step.rest.replace("${VERSION}", self.version).split()
            (self.home / target.lstrip("/")).mkdir(parents=True, exist_ok=True)
            for one in files:
                shutil.copy(context / one, self.home / target.lstrip("/"))
        elif step.word == "USER":
            self.user = step.rest
        elif step.word == "WORKDIR":
            self.place = step.rest


def main(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    version = wheel.name.split("-")[1]
    found = steps((dist / "Dockerfile").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        root = Root(Path(scratch, "root"), version)
        root.make()
        before = size(root.home)
        for step in found:
            print(f"{step.word} {step.rest[:90]}", flush=True)
            root.take(step, dist)
        (program,) = [re.findall(r'"([^"]+)"', step.rest) for step in found if step.word == "ENTRYPOINT"]
        entry = shlex.join(program)
        print(root.run(f"id -u; id -un; {entry} --version; {entry} init -s api=@acme/sre >/dev/null; {entry} validate"))
        print(f"{(size(root.home) - before) // 1_000_000} MB more than the base")


def size(home: Path) -> int:
    """Bytes of the files of a root."""
    return sum(one.lstat().st_size for one in home.rglob("*") if one.is_file() and not one.is_symlink())


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())

"""``make check-install``: follow docs/installation.md, command by command, in new environments.

Each environment has nothing but what the page's commands install, and every command must succeed.
Needs a package index, and a pip of the machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "installation.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHECK = "headway --version"


def main() -> int:
    wheel, checkout, weights, pinned = BLOCK.findall(PAGE.read_text())
    python = Path(getattr(sys, "_base_executable", sys.executable))
    for commands in (wheel + weights, checkout + CHECK, pinned + CHECK):
        with tempfile.TemporaryDirectory() as directory:
            run(commands, new_environment(Path(directory) / "env", python))
    sys.stdout.write("every command of docs/installation.md works in a new environment\n")
    return 0


def run(commands: str, environment: Path) -> None:
    """Run the commands as a user would who has activated ``environment``. Raises
    subprocess.CalledProcessError."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    home = str(environment / "home")
    homes = {"XDG_STATE_HOME": home, "XDG_CACHE_HOME": home}
    environ = {**kept, "PATH": path, **homes, "PIP_QUIET": "1"}
    sys.stdout.write(commands + "\n")
    sys.stdout.flush()
    shell = ["/bin/sh", "-ec", commands]
    subprocess.run(shell, cwd=ROOT, env=environ, check=True, timeout=600)  # noqa: S603


def new_environment(path: Path, python: Path) -> Path:
    """A virtual environment with a ``pip`` command, also where the machine's Python has no
    ensurepip."""
    venv.create(path, with_pip=False, symlinks=True)
    inner = path / "bin" / "python"
    pip = path / "bin" / "pip"
    pip.write_text(f'#!/bin/sh\nexec {find_pip(python, inner)} --python {inner} "$@"\n')
    pip.chmod(0o755)
    return path


def find_pip(python: Path, inner: Path) -> str:
    """A pip of this machine that installs into another environment (pip 22.3 or newer)."""
    for command in (f"{python} -m pip", "python3 -m pip", "pip3", "pip"):
        words = command.split()
        if shutil.which(words[0]) is None:
            continue
        asked = [*words, "--python", str(inner), "--version"]
        if subprocess.run(asked, capture_output=True, check=False).returncode == 0:  # noqa: S603
            return command
    raise SystemExit("check-install needs pip 22.3 or newer, and found none")


if __name__ == "__main__":
    sys.exit(main())

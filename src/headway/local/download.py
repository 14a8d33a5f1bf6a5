"""Fetching one wheel from the user's own package index, with the installers at hand.

pip and uv already know the user's index, proxy and certificates, so they do the talking. Neither is
certain to be there (an environment made by uv has no pip), hence three ways in order; the last is
the pip that the standard library carries inside ``ensurepip``.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import msgspec

PATIENCE_S = 1800.0
"""98 MB in half an hour is 55 kB/s; slower than that, another way is tried."""

POLL_S = 0.1


class Order(msgspec.Struct, frozen=True):
    """One release, and the SHA-256 sums that its files may have."""

    requirement: str
    sha256: tuple[str, ...]

    @property
    def line(self) -> str:
        """One line of a requirements file, as the hash-checking modes of pip and uv read it."""
        return " ".join([self.requirement, *(f"--hash=sha256:{each}" for each in self.sha256)])


class Cancelled(Exception):  # noqa: N818 - a decision, not an error
    """The caller no longer wants the file."""


Downloader = Callable[[Order, Path, Event], str]
"""(order, directory, cancelled) -> why it did not work, if it did not. Leaves in the directory the
wheel, or what an installation of it holds. Raises Cancelled and OSError only."""


def with_pip(order: Order, directory: Path, cancelled: Event) -> str:
    if importlib.util.find_spec("pip") is None:
        return "this environment has no pip"
    return _pip([sys.executable, "-m", "pip"], order, directory, cancelled)


def with_uv(order: Order, directory: Path, cancelled: Event) -> str:
    """uv has no download command: it installs, into a directory of its own. Its cache keeps the
    wheel, so a second try does not download again either."""
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        return "there is no uv"
    place = ["--python", sys.executable, "--target", str(directory)]
    return _run([uv, "pip", "install", *place, "--quiet"], order, directory, cancelled)


def with_ensurepip(order: Order, directory: Path, cancelled: Event) -> str:
    """The bundled pip is a wheel of pure Python, which runs where it lies."""
    wheel = bundled_pip()
    if wheel is None:
        return "this Python has no ensurepip"
    return _pip([sys.executable, str(wheel / "pip")], order, directory, cancelled)


def bundled_pip() -> Path | None:
    """ensurepip's wheel: beside it, or where a distribution keeps its wheels (Debian, Fedora:
    ``--with-wheel-pkg-dir``, docs.python.org/3/using/configure.html)."""
    spec = importlib.util.find_spec("ensurepip")
    places = [Path(root) / "_bundled" for root in (spec and spec.submodule_search_locations) or ()]
    if elsewhere := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        places.append(Path(elsewhere))
    return next((wheel for place in places for wheel in place.glob("pip-*.whl")), None)


DOWNLOADERS: tuple[Downloader, ...] = (with_pip, with_uv, with_ensurepip)


def _pip(pip: Sequence[str], order: Order, directory: Path, cancelled: Event) -> str:
    options = ["--dest", str(directory), "--quiet", "--no-input", "--disable-pip-version-check"]
    return _run([*pip, "download", *options], order, directory, cancelled)


def _run(command: Sequence[str], order: Order, directory: Path, cancelled: Event) -> str:
    """``--only-binary`` keeps the release's source from being built, ``--no-deps`` its compiler
    away; the sums are checked by the installer, and again by us."""
    listing = directory / "requirements.txt"
    listing.write_text(order.line + "\n")
    rules = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(listing)]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 - an argument list of ours, and no shell
            [*command, *rules],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        code = _wait(process, cancelled)
        if code == 0:
            return ""
        output.seek(0)
        return f"{Path(command[0]).name} failed ({code}): {_last_line(output.read())}"


def _wait(process: subprocess.Popen[bytes], cancelled: Event) -> int:
    deadline = time.monotonic() + PATIENCE_S
    try:
        while process.poll() is None:
            if cancelled.wait(POLL_S):
                raise Cancelled
            if time.monotonic() > deadline:
                break
    finally:
        process.kill()
        code = process.wait()
    return code


def _last_line(output: bytes) -> str:
    lines = [line for line in output.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"

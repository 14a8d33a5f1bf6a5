"""Recorded provider traffic, where it lies beside this repository or where HEADWAY_CASSETTES says.

Tests are parametrized over what is present: without the recordings there are no such cases.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

BESIDE = Path(__file__).parents[2] / "shared" / "cassettes"


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
        """The body in pieces of so many bytes."""
        return [self.body[at : at + size] for at in range(0, len(self.body), size)]


@cache
def recordings() -> tuple[Recording, ...]:
    folder = Path(os.environ.get("HEADWAY_CASSETTES") or BESIDE)
    return tuple(_read(path) for path in sorted(folder.glob("*/*.json")))


def chosen(wanted: Callable[[Recording], bool]) -> list[Recording]:
    return [recording for recording in recordings() if wanted(recording)]


def names(found: Iterable[Recording]) -> list[str]:
    return [recording.name for recording in found]


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

"""The public names are importable, listed once in the documentation, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

from headway import api

PAGE = Path(__file__).parents[1] / "docs" / "python-api.md"


def test_the_page_lists_exactly_the_public_names() -> None:
    table = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    listed = [name for line in table for name in re.findall(r"`(\w+)`", line)]
    assert sorted(listed) == sorted(api.__all__)


def test_every_public_name_is_importable_and_documented() -> None:
    assert [name for name in api.__all__ if not hasattr(api, name)] == []
    classes = [getattr(api, name) for name in api.__all__ if isinstance(getattr(api, name), type)]
    assert [cls.__name__ for cls in classes if not cls.__doc__] == []

"""docs/comparing.md: its code prints what the page says, and its events are those of the route."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headway.server.openapi.schemas import compare
from support.gateway_process import Gateway

PAGE = (Path(__file__).parents[2] / "docs" / "comparing.md").read_text()
CODE = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TEXTS = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SHAPES = {
    "start": compare.LaneStart,
    "chunk": compare.LaneChunk,
    "done": compare.LaneDone,
    "error": compare.LaneError,
    "end": compare.ComparisonEnd,
}


def test_the_code_prints_what_the_page_says(
    server: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    [code] = CODE
    exec(code.replace("http://127.0.0.1:8000", server.base_url), {})
    assert capsys.readouterr().out == TEXTS[-1]


def test_the_table_has_every_event_with_fields_that_it_has() -> None:
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|(.*)\|$", PAGE, re.MULTILINE)
    assert [name for name, _ in rows] == list(SHAPES)
    for name, text in rows:
        fields = set(re.findall(r"`(\w+)`", text))
        assert fields <= set(SHAPES[name].model_fields), name

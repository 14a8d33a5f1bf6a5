"""Cloudflare's content that is an object instead of its text."""

from __future__ import annotations

from typing import Any

import pytest

from headway.events import Finished, Text
from support.compatible_responses import decoded


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"name": "India", "n": 1}, '{"name":"India","n":1}'),
        ('{"name": "India"}', '{"name": "India"}'),
        ('say {"content": {"a": 1}}', 'say {"content": {"a": 1}}'),
    ],
)
def test_content_that_is_an_object_becomes_its_text(content: Any, text: str) -> None:
    events = decoded("cloudflare", {"content": content})
    assert [one for one in events if isinstance(one, Text)] == [Text(text)]
    assert Finished("stop") in events


def test_an_object_named_content_elsewhere_changes_nothing() -> None:
    events = decoded("cloudflare", {"content": "a"}, extra={"content": {"a": 1}})
    assert Text("a") in events

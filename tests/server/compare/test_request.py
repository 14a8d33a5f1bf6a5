"""What a body of ``POST /api/compare`` asks of each lane."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.dialects.base import ClientRequest
from headway.errors import InvalidField
from headway.server.compare.request import ComparisonBody
from support.for_each import for_each

MESSAGES = [{"role": "user", "content": "Hello"}]
ALWAYS = {"stream": True, "stream_options": {"include_usage": True}}
KEY = ((b"x-headway-provider-key", b"sk-mine"),)


def lanes(headers: Any = (), **body: Any) -> list[tuple[str, int, Any]]:
    """Model, run and body of each lane."""
    data = json.dumps({"messages": MESSAGES, **body}).encode()
    request = ComparisonBody().decode(ClientRequest("", headers, data))
    return [(lane.model, lane.run, json.loads(request.body_of(lane))) for lane in request.lanes]


def test_lanes_are_the_models_each_with_its_runs() -> None:
    found = lanes(models=["a/x", {"model": "b/y", "temperature": 0}], runs=2, temperature=1)
    shared = {"messages": MESSAGES, **ALWAYS}
    assert found == [
        ("a/x", 0, {**shared, "model": "a/x", "temperature": 1}),
        ("a/x", 1, {**shared, "model": "a/x", "temperature": 1}),
        ("b/y", 0, {**shared, "model": "b/y", "temperature": 0}),
        ("b/y", 1, {**shared, "model": "b/y", "temperature": 0}),
    ]


def test_null_removes_a_field_of_the_body_and_passes_where_it_is_shared() -> None:
    [(_, _, body)] = lanes(models=[{"model": "a/x", "seed": None}], seed=1, user=None)
    assert "seed" not in body
    assert body["user"] is None


@for_each(
    "given, sent",
    [
        (None, {"include_usage": True}),
        ({}, {"include_usage": True}),
        ({"include_usage": False}, {"include_usage": True}),
        (
            {"include_metrics": True, "x": 1},
            {"include_metrics": True, "x": 1, "include_usage": True},
        ),
    ],
)
def test_usage_is_always_asked_for(given: Any, sent: dict[str, Any]) -> None:
    [(_, _, body)] = lanes(models=["a/x"], stream_options=given)
    assert body["stream_options"] == sent


def test_a_field_is_wrong_for_all_unless_each_model_replaces_it() -> None:
    own = {"model": "a/x", "messages": MESSAGES}
    assert len(lanes(models=[own, own], messages="wrong")) == 2
    with pytest.raises(InvalidField) as caught:
        lanes(models=[own, "b/y"], messages="wrong")
    assert caught.value.param == "messages"


@for_each(
    "models, is_taken",
    [
        (["a/x"], True),
        (["a/x", "a/y", {"model": "a/z"}], True),
        (["alias", "alias"], True),
        (["a/x", "b/x"], False),
        (["a/x", "alias"], False),
        (["alias", "other"], False),
    ],
)
def test_a_key_for_a_provider_goes_to_models_of_one_provider(
    models: list[Any], is_taken: bool
) -> None:
    assert lanes(models=models)
    if is_taken:
        assert lanes(KEY, models=models)
    else:
        with pytest.raises(InvalidField) as caught:
            lanes(KEY, models=models)
        assert caught.value.param == "x-headway-provider-key"

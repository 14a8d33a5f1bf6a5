"""MiniMax's failures in responses with status 200."""

from __future__ import annotations

import json

import pytest

from headway.errors import (
    UpstreamAuth,
    UpstreamContentPolicy,
    UpstreamError,
    UpstreamQuota,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTimeout,
)
from headway.events import Failed
from headway.providers import KINDS
from support.compatible_responses import collect, decoded, streamed
from support.openai_completions import finish, text


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1004, UpstreamAuth),
        (1002, UpstreamRateLimited),
        (1008, UpstreamQuota),
        (1000, UpstreamError),
    ],
)
def test_a_failure_code_is_a_failure_in_streams_and_bodies(code: int, error: type) -> None:
    said = {"id": "1", "choices": None, "base_resp": {"status_code": code, "status_msg": "bad"}}
    for events in (
        KINDS["minimax"].decode_response(json.dumps(said).encode()),
        streamed("minimax", said),
    ):
        [failed] = events
        assert isinstance(failed, Failed)
        assert type(failed.error) is error
        assert (str(failed.error), failed.error.code) == ("bad", str(code))  # type: ignore[attr-defined]


def test_a_base_resp_with_the_code_of_success_is_no_error() -> None:
    fine = {"base_resp": {"status_code": 0, "status_msg": ""}}
    assert collect(streamed("minimax", text("Hi"), {**finish(), **fine})).is_finished
    assert collect(decoded("minimax", {"content": "Hi"}, base_resp=None)).is_finished


OUTCOMES: list[tuple[int, type[UpstreamError]]] = [
    (1001, UpstreamTimeout),
    (1026, UpstreamContentPolicy),
    (1039, UpstreamRateLimited),
    (2013, UpstreamRejected),
    (2056, UpstreamQuota),
    (1000, UpstreamError),
]


@pytest.mark.parametrize(("code", "cls"), OUTCOMES)
def test_a_failure_has_the_class_of_its_code(code: int, cls: type[UpstreamError]) -> None:
    said = {"base_resp": {"status_code": code, "status_msg": "no"}, "choices": None}
    (failed,) = KINDS["minimax"].decode_response(json.dumps(said).encode())
    assert isinstance(failed, Failed)
    assert type(failed.error) is cls

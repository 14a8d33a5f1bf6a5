"""In the dialects of other APIs too, clients get the answer whatever types a provider's other
fields have, and characters in one piece."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given

from support.for_each import for_each
from support.odd_values import (
    ODD,
    SEEDS,
    Path,
    change_often,
    change_stream,
    changed,
    optional_paths,
)
from support.pipeline_fakes import Pipe
from support.played_dialects import REQUESTS, play_in_dialect, run_in_dialect
from support.wire_scripts import SCRIPTS, TEXT, Pieces

# Vertex AI's own encoder needs a project for requests of the same format.
PLAYED = [
    (wire, name)
    for wire in SCRIPTS
    for name in REQUESTS
    if (wire, name.removesuffix(" stream")) != ("vertex_anthropic", "anthropic")
]


def odd_paths(value: Any) -> list[Path]:
    """A refusal is a text in these dialects."""
    return [path for path in optional_paths(value) if path[-1] != "refusal"]


def check(text: str, pipe: Pipe, said: str = "".join(TEXT)) -> None:
    if b"a tool call without a name" in pipe.sink.body:
        return
    assert text == said, pipe.sink.body
    assert [record.outcome for record in pipe.records] == ["ok"]


@pytest.mark.parametrize("wire", list(SCRIPTS))
@given(seed=SEEDS)
@for_each("name", REQUESTS)
def test_the_text_arrives(wire: str, name: str, seed: int) -> None:
    if (wire, name) not in PLAYED:
        return
    chance = Random(f"{seed} {name}")
    script = SCRIPTS[wire](Pieces())
    odd = chance.choice(ODD)
    if not name.endswith(" stream"):
        path = chance.choice(odd_paths(script.whole))
        whole = json.dumps(changed(script.whole, path, odd)).encode()
        check(*play_in_dialect(script, name, whole=whole))
        return
    at = chance.randrange(len(script.events))
    kind, value = script.events[at]
    if found := odd_paths(value):
        event = (kind, changed(value, chance.choice(found), odd))
        events = [*script.events[:at], event, *script.events[at + 1 :]]
        check(*play_in_dialect(script, name, streamed=script.streamed(events)))


@pytest.mark.parametrize("wire", list(SCRIPTS))
@given(seed=SEEDS)
@for_each("name", REQUESTS)
def test_no_answer_is_too_odd_for_the_gateway(wire: str, name: str, seed: int) -> None:
    """It may be an error, of the provider."""
    if (wire, name) not in PLAYED:
        return
    chance = Random(f"{seed} {name}")
    script = SCRIPTS[wire](Pieces())
    whole = json.dumps(change_often(script.whole, chance)).encode()
    streamed = script.streamed(change_stream(script.events, chance))
    pipe = run_in_dialect(script, name, whole=whole, streamed=streamed)
    assert b"could not be processed" not in pipe.sink.body
    assert len(pipe.records) == 1


@for_each(("wire", "name"), PLAYED)
@for_each(
    ("pieces", "said"),
    [
        (Pieces(text=("a\ud83d", "\ude00b")), "a😀b"),
        (Pieces(text=("a\ud83d", "b"), arguments=()), "a\ufffdb"),
        (Pieces(text=("a", "b\ud83d"), arguments=()), "ab\ufffd"),
        (Pieces(thought=("a\ud83d", "\ude00b")), "Hello there"),
        (Pieces(thought=("a", "b\ud83d")), "Hello there"),
        (Pieces(arguments=('{"a":"\ud83d', '\ude00"}')), "Hello there"),
    ],
    ids=["joined", "alone", "last", "in reasoning", "last of reasoning", "in arguments"],
)
def test_characters_arrive_in_one_piece(wire: str, name: str, pieces: Pieces, said: str) -> None:
    if (wire, name) in (("gemini", "gemini"), ("vertex", "gemini")) and said == "a😀b":
        said = "a\ufffd\ufffdb"  # two parts of a whole response, which is passed through
    check(*play_in_dialect(SCRIPTS[wire](pieces), name), said)

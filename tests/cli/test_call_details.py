from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.cli.call_details import describe_call
from headway.ledger.store import Call, Conversation
from headway.record import Record
from support.ledger_stores import make_record


def test_messages_of_every_wire_format_are_texts() -> None:
    lines = _conversation(
        [
            {"role": "user", "content": "Plain"},
            {"role": "user", "content": [{"type": "text", "text": "Block"}, {"type": "image"}]},
            {"role": "model", "parts": [{"text": "Part"}]},
            {"type": "function_call", "name": "look", "arguments": "{}"},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}]},
            {"role": "tool", "content": "First\nSecond"},
        ],
        system=[{"type": "text", "text": "Be brief."}],
    )  # fmt: skip
    assert lines == [
        "Conversation  native",
        "  system        Be brief.",
        "  user          Plain",
        "  user          Block",
        '                {"type":"image"}',
        "  model         Part",
        '  function_call {"name":"look","arguments":"{}"}',
        '  assistant     weather({"city":"Paris"})',
        "  tool          First",
        "                Second",
    ]


def test_long_values_are_shortened_and_hashes_named() -> None:
    image = {"type": "image", "data": "A" * 2000}
    [_, line] = _conversation([{"role": "user", "content": [image]}])
    assert line.endswith("(2,026 characters)")
    assert len(line) < 500
    lines = _conversation(["a1b2"], mode="hash")
    assert "Only the hashes of the messages are kept" in lines[1]
    assert lines[2] == "  hash          a1b2"


def test_what_is_not_kept_is_said() -> None:
    lines = _lines(make_record(1), None)
    assert lines[-1] == "The messages were not kept: `ledger.content` is off."
    failed = _lines(make_record(1, outcome="error", status=429), None)
    assert "not kept" not in failed[-1]


def test_the_providers_own_figure_stands_before_the_computed_one() -> None:
    record = make_record(
        1, cost_usd="0.0040", cost_source="provider", cost_computed_usd="0.0036",
        price_source="genai-prices 0.2.3", price_date="2026-11-01",
        price_conditions={"service_tier": "flex"},
    )  # fmt: skip
    cost = next(line for line in _lines(record, None) if line.startswith("  cost"))
    assert cost.split(maxsplit=1)[1] == (
        "$0.004 · reported by the provider · computed $0.0036 · "
        "prices: genai-prices 0.2.3 of 2026-11-01 · service_tier flex"
    )
    unknown = make_record(1, cost_usd=None, cost_unknown_reason="no price for the model m")
    assert "  cost          unknown: no price for the model m" in _lines(unknown, None)


def test_a_bar_without_block_characters_is_drawn_with_others() -> None:
    record = make_record(1, time_to_first_token_s=0.25)
    drawn = [line for line in _lines(record, None, blocks=False) if line.rstrip().endswith("#")]
    assert [line.split()[:2] for line in drawn] == [["first", "token"], ["rest", "of"]]


def _conversation(messages: Sequence[Any], mode: str = "full", **parameters: Any) -> list[str]:
    items = tuple(Raw(msgspec.json.encode(message)) for message in messages)
    fields = {name: Raw(msgspec.json.encode(value)) for name, value in parameters.items()}
    kept = Conversation("c", "native", mode, items, (), fields, Raw(b"null"))  # type: ignore[arg-type]
    lines = _lines(make_record(1, content=mode), kept)
    return lines[lines.index("Conversation  native") :]


def _lines(record: Record, kept: Conversation | None, *, blocks: bool = True) -> list[str]:
    call = Call((replace(record),))
    return [
        "".join(text for text, _ in line).rstrip()
        for line in describe_call(call, kept, 100, len, blocks=blocks)
    ]


def test_a_routed_call_says_why_each_attempt_was_made_and_what_was_passed_over() -> None:
    first = make_record(
        1, call_id="c", is_last=False, outcome="error", status=503, provider_key="1",
        route_name="smart", cache="miss",
        decision='{"strategy":"ordered","targets":["openai/a","groq/b"],'
        '"skipped":[{"target":"xai/c","reason":"no images"}]}',
    )  # fmt: skip
    last = replace(
        first, id="l", role="fallback", attempt=2, is_last=True, outcome="ok", provider_key=None,
        saved_usd="0.25", cache="hit", decision="no JSON",
    )  # fmt: skip
    described = describe_call(Call((first, last)), None, 120, len, blocks=False)
    lines = ["".join(text for text, _ in line).rstrip() for line in described]
    assert "  route         smart" in lines
    assert "  cache         hit · saved $0.25" in lines
    at = lines.index("Targets  of attempt 1")
    assert lines[at + 1 : at + 5] == [
        "  ordered: openai/a, groq/b",
        "  not xai/c: no images",
        "Targets  of attempt 2",
        "  no JSON",
    ]
    table = next(line for line in lines if line.startswith("Attempt"))
    assert table.split()[:4] == ["Attempt", "Why", "Model", "Key"]
    assert any("fallback" in line for line in lines)
    copy = _lines(make_record(1, role="shadow", shadow_of="call-1"), None)
    assert "  copy of       call-1" in copy

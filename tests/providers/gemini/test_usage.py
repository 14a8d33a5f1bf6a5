"""Google's token counts."""

from __future__ import annotations

from typing import Any

import pytest

from headway.events import Finished, ServiceTierReported, Started, Text, UsageReported
from headway.response_accumulator import ResponseAccumulator
from headway.types import Usage
from support.gemini_wire import START, answer, streamed, whole

STOP = Finished("stop")


USAGES: list[tuple[dict[str, Any], Usage, dict[str, Any]]] = [
    (
        {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
        Usage(input_tokens=10, output_tokens=5),
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    ),
    (
        {
            "promptTokenCount": 10,
            "cachedContentTokenCount": 8,
            "toolUsePromptTokenCount": 3,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 7,
            "totalTokenCount": 25,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 6},
                {"modality": "AUDIO", "tokenCount": 4},
            ],
            "toolUsePromptTokensDetails": [{"modality": 4, "tokenCount": 2}],
            "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 5}],
        },
        Usage(
            input_tokens=13,
            output_tokens=12,
            cache_read_tokens=8,
            reasoning_tokens=7,
            input_audio_tokens=6,
            output_audio_tokens=5,
        ),
        {
            "prompt_tokens": 13,
            "completion_tokens": 12,
            "total_tokens": 25,
            "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 6},
            "completion_tokens_details": {"reasoning_tokens": 7, "audio_tokens": 5},
        },
    ),
    (
        {"promptTokenCount": 85, "thoughtsTokenCount": 199, "totalTokenCount": 284},
        Usage(input_tokens=85, output_tokens=199, reasoning_tokens=199),
        {
            "prompt_tokens": 85,
            "completion_tokens": 199,
            "total_tokens": 284,
            "completion_tokens_details": {"reasoning_tokens": 199},
        },
    ),
    (
        {"promptTokenCount": 5, "totalTokenCount": 9},
        Usage(input_tokens=5, output_tokens=4),
        {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9},
    ),
    (
        {"promptTokenCount": 5},
        Usage(input_tokens=5),
        {"prompt_tokens": 5, "completion_tokens": None, "total_tokens": 5},
    ),
]


@pytest.mark.parametrize(("wire", "usage", "shown"), USAGES, ids=[str(u[0])[:50] for u in USAGES])
def test_usage_has_the_billed_counts(
    wire: dict[str, Any], usage: Usage, shown: dict[str, Any]
) -> None:
    decoded = whole(answer({"text": "a"}) | {"usageMetadata": wire})
    assert decoded[2] == UsageReported(usage, shown)


def test_a_usage_without_counts_is_ignored() -> None:
    decoded = whole(answer({"text": "a"}) | {"usageMetadata": {"trafficType": "ON_DEMAND"}})
    assert decoded == [START, Text("a"), STOP]


def test_a_later_usage_replaces_an_earlier_one() -> None:
    def counted(tokens: int, finish: Any = None) -> Any:
        usage = {"promptTokenCount": 3, "candidatesTokenCount": tokens}
        return answer({"text": "a"}, finish=finish) | {"usageMetadata": usage}

    decoded = ResponseAccumulator()
    decoded.add(streamed(counted(1), counted(2), counted(3, "STOP")))
    assert decoded.reported() == Usage(input_tokens=3, output_tokens=3)


def test_the_service_tier_is_reported() -> None:
    usage = {"promptTokenCount": 3, "serviceTier": "flex"}
    assert whole(answer({"text": "a"}) | {"usageMetadata": usage})[0] == Started(
        "r1", "gemini-x", service_tier="flex"
    )


def test_a_later_chunk_tells_the_service_tier_where_it_is_another() -> None:
    def tier(name: str) -> Any:
        usage = {"promptTokenCount": 3, "serviceTier": name}
        return answer({"text": "a"}) | {"usageMetadata": usage}

    decoded = streamed(tier("flex"), tier("flex"), tier("standard"))
    assert decoded.count(ServiceTierReported("standard")) == 1
    assert ServiceTierReported("flex") not in decoded


FULL = {"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 2,
        "totalTokenCount": 17}  # fmt: skip


@pytest.mark.parametrize(
    "poorer",
    [
        {"totalTokenCount": 17},
        {"promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0},
        {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": 10}]},
        {"promptTokenCount": 10, "candidatesTokenCount": 5},
        {},
    ],
)
def test_a_poorer_usage_erases_nothing(poorer: dict[str, Any]) -> None:
    decoded = ResponseAccumulator()
    chunks = [answer({"text": "a"}) | {"usageMetadata": usage} for usage in (FULL, poorer)]
    decoded.add(streamed(*chunks))
    assert decoded.reported() == Usage(input_tokens=10, output_tokens=7, reasoning_tokens=2)


def test_a_total_alone_tells_no_part() -> None:
    decoded = whole(answer({"text": "a"}) | {"usageMetadata": {"totalTokenCount": 17}})
    assert [event.usage for event in decoded if type(event) is UsageReported] == [Usage()]

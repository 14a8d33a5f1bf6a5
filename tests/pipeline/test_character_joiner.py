from __future__ import annotations

from msgspec import Raw

from headway.errors import UpstreamError
from headway.events import (
    Event,
    ExtraFields,
    Failed,
    Finished,
    Reasoning,
    ReasoningDetail,
    Refusal,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.pipeline.character_joiner import CharacterJoiner
from headway.types import Usage
from support.for_each import for_each

HIGH, LOW = "\U0010d83d", "\U0010de00"

# events, and what becomes of them
JOINED: list[tuple[list[Event], list[Event]]] = [
    ([Text(f"a{HIGH}"), Text(f"{LOW}b")], [Text("a"), Text("😀b")]),
    ([Reasoning(HIGH), Reasoning(LOW)], [Reasoning("😀")]),
    ([Refusal(HIGH), Refusal(LOW)], [Refusal("😀")]),
    ([ToolArguments(1, HIGH), ToolArguments(1, LOW)], [ToolArguments(1, "😀")]),
    (
        [ToolArguments(0, HIGH), ToolArguments(1, LOW)],
        [ToolArguments(0, "\ufffd"), ToolArguments(1, "\ufffd")],
    ),
    ([Reasoning(HIGH), Text("a")], [Reasoning("\ufffd"), Text("a")]),
    ([Text(HIGH), Text(HIGH, 1), Text(LOW), Text(LOW, 1)], [Text("😀"), Text("😀", 1)]),
    ([Text(HIGH), Finished("stop")], [Text("\ufffd"), Finished("stop")]),
    (
        [Text(HIGH, 1), Finished("stop"), StreamEnd()],
        [Finished("stop"), Text("\ufffd", 1), StreamEnd()],
    ),
    ([Text(HIGH), UsageReported(Usage()), Text(LOW)], [UsageReported(Usage()), Text("😀")]),
    ([Started(f"i{HIGH}", LOW)], [Started("i\ufffd", "\ufffd")]),
    ([ToolStarted(0, HIGH, HIGH + LOW)], [ToolStarted(0, "\ufffd", "😀")]),
    (
        [ReasoningDetail({"text": f"a{HIGH}{LOW}", HIGH: [LOW, None, 1]})],
        [ReasoningDetail({"text": "a😀", "\ufffd": ["\ufffd", None, 1]})],
    ),
    ([ExtraFields({"audio": {"data": "AA=="}}, 2)], [ExtraFields({"audio": {"data": "AA=="}}, 2)]),
]


@for_each(("events", "joined"), JOINED, ids=range(len(JOINED)))
@for_each("at_once", [True, False])
def test_characters_are_joined(events: list[Event], joined: list[Event], at_once: bool) -> None:
    joiner = CharacterJoiner()
    found = joiner.join(events) if at_once else [e for one in events for e in joiner.join([one])]
    assert found == joined


def test_the_json_of_a_usage_and_the_words_of_an_error_are_repaired() -> None:
    error = UpstreamError(f"no{HIGH}", code=LOW)
    usage = UsageReported(Usage(input_tokens=1), Raw(f'{{"a":"{HIGH}"}}'.encode()))
    found = CharacterJoiner().join([usage, Text(HIGH), Failed(error)])
    assert isinstance(found[0], UsageReported)
    assert bytes(found[0].openai_usage) == '{"a":"\ufffd"}'.encode()
    assert found[1:] == [Text("\ufffd"), Failed(error)]
    assert (error.message, error.code) == ("no\ufffd", "\ufffd")

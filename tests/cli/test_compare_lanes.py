from __future__ import annotations

import pytest

from cli.comparisons import END, chunk, comparison, done, error, several_runs, start


def test_a_lane_gathers_what_its_chunks_say() -> None:
    found = comparison(
        start(0, "a/x"),
        start(1, "b/y"),
        chunk(0, 1.0, role="assistant", content=""),
        chunk(0, 250.0, reasoning_content="Hm"),
        chunk(0, 300.0, content="Hello"),
        chunk(1, 310.0, refusal="No"),
        chunk(0, 500.0, content=" there"),
        {"type": "chunk", "lane": 0, "at_ms": 501.0, "chunk": {"choices": [], "usage": {}}},
        done(0),
    )
    first, second = found.lanes
    assert (first.state, first.output, "".join(first.reasoning)) == ("done", "Hello there", "Hm")
    assert first.arrivals == [0.25, 0.3, 0.5]
    assert first.gaps == pytest.approx([0.05, 0.2])
    assert (second.state, second.output) == ("streaming", "No")
    assert (found.id, found.is_over) == ("the-comparison", False)
    found.stop()
    assert [lane.state for lane in found.lanes] == ["done", "stopped"]


def test_tool_calls_are_shown_as_text() -> None:
    call = {"index": 0, "id": "c", "function": {"name": "find", "arguments": ""}}
    found = comparison(
        start(0, "a/x"),
        chunk(0, 1.0, tool_calls=[call]),
        chunk(0, 2.0, tool_calls=[{"index": 0, "function": {"arguments": '{"q":1}'}}]),
    )
    assert found.lanes[0].output == '→ find {"q":1}'


def test_further_choices_are_left_out() -> None:
    other = chunk(0, 1.0, content="another answer")
    other["chunk"]["choices"][0]["index"] = 1
    assert comparison(start(0, "a/x"), other).lanes[0].output == ""


def test_a_lane_that_waits_starts_with_its_first_event() -> None:
    found = comparison(start(0, "a/x"), start(1, "a/x", 1, waits=True))
    assert [lane.started for lane in found.lanes] == [100.0, None]
    found.read(chunk(1, 500.0, content="Hi"), 107.5)
    assert found.lanes[1].started == 107.0


def test_an_error_says_what_and_why() -> None:
    found = comparison(start(0, "a/x"), error(0), END)
    assert found.lanes[0].error == "No such model. (HTTP 404, not_found_error)"
    assert found.is_over


def test_runs_are_the_lanes_of_one_entry() -> None:
    events = [*several_runs("a/x", 0, {}, {}), *several_runs("a/x", 2, {}, {}), start(4, "b/y")]
    runs = [[lane.run for lane in lanes] for lanes in comparison(*events).runs]
    assert runs == [[0, 1], [0, 1], [0]]

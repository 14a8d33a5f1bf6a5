"""Uses of the provider's own tools, in each shape in which they are reported."""

from __future__ import annotations

from typing import Any

from headway.providers.server_tools import NO_TOOLS, ToolUses, count_uses, read_tool_uses
from support.for_each import for_each

CASES: list[tuple[Any, ToolUses]] = [
    ({"web_search_requests": 2, "web_fetch_requests": 1}, ToolUses(web_searches=2)),
    ({"web_search_requests": 1, "tool_calls_executed": 1}, ToolUses(web_searches=1)),
    ({"tool_search_requests": 3}, NO_TOOLS),
    ({"code_execution_requests": 1}, ToolUses(conditions={"tool": "code_execution"})),
    (
        {"web_search_calls": 1, "x_search_calls": 2, "mcp_calls": 3, "file_search_calls": 4},
        ToolUses(1, 4, {"tool": "x_search"}),
    ),
    (
        {"code_interpreter_calls": 1, "image_generation_calls": 1},
        ToolUses(conditions={"tool": "code_interpreter, image_generation"}),
    ),
    ({"num_sources_used": 5}, ToolUses(web_searches=5)),
    ({"num_search_queries": 5}, ToolUses(web_searches=5)),
    ({"webSearchRequests": 1}, ToolUses(web_searches=1)),
    ({"web_search_requests": 0}, NO_TOOLS),
    ({"web_search_requests": True}, NO_TOOLS),
    ({"web_search_requests": "1"}, NO_TOOLS),
    ({}, NO_TOOLS),
    (None, NO_TOOLS),
    ([], NO_TOOLS),
    (3, NO_TOOLS),
]


@for_each(("reported", "expected"), CASES)
def test_uses_are_read_in_every_shape(reported: Any, expected: ToolUses) -> None:
    assert read_tool_uses(reported) == expected
    assert read_tool_uses(None, reported) == expected


def test_the_uses_of_several_reports_are_read() -> None:
    assert read_tool_uses({"a_calls": 1}, {"web_search": 1}) == ToolUses(1, None, {"tool": "a"})
    assert count_uses({}) is NO_TOOLS

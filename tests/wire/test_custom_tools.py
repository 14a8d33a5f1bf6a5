"""Custom tools as functions."""

from __future__ import annotations

from headway.wire.custom_tools import as_function, changes

GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: X"}
TEXT = "`input` must match this lark grammar:\nstart: X"


def test_the_grammar_is_in_the_description_and_told() -> None:
    for format_, text in (
        (GRAMMAR, TEXT),
        (
            {"type": "grammar", "grammar": GRAMMAR},
            "`input` must match this lark grammar:\nstart: X",
        ),
        ({"type": "text"}, ""),
        (None, ""),
    ):
        custom = {"name": "patch", "format": format_}
        function = as_function("patch", custom)
        assert function["name"] == "patch"
        assert function["description"] == text
        assert function["parameters"]["required"] == ["input"]
        assert [parameter for parameter, _ in changes("patch", custom)] == [
            "tools[].custom",
            *(["tools[].custom.format"] if text else []),
        ]

"""The lines of the log: whatever is logged, a line is one line."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from headway.server.log_format import FORMATS, LineFormatter, render_json, render_text
from support.for_each import for_each

AT = 1_764_405_720.1239
STAMP = "2025-11-29T08:42:00.123Z"
HOSTILE = [
    "a\nb",
    "a\r\nb",
    "\n2025-11-29T08:42:00.123Z INFO forged",
    "\x1b[2J\x1b]0;title\x07",
    "a\x00b",
    "a\x7fb",
    "a\x85b",
    "a\x9bb",
    "a\u2028b",
    "a\u2029b",
    "a\u202eb",
    "a\ud800b",
    'a" level=ERROR "b',
    "a=b c=d",
    "\u65e5\u672c\u8a9e",
    "",
    "x" * 10_000,
]


def test_a_line_of_text_has_time_level_message_and_fields() -> None:
    fields = {"id": "r-1", "status": 502, "duration_s": 0.25, "is_stream": True}
    assert render_text(AT, "WARNING", "request failed", fields, []) == (
        f"{STAMP} WARNING request failed id=r-1 status=502 duration_s=0.250000 is_stream=true"
    )


def test_a_line_of_json_has_ts_level_msg_and_fields() -> None:
    line = render_json(AT, "WARNING", "request failed", {"status": 502, "model": "a b"}, [])
    assert list(json.loads(line).items()) == [
        ("ts", STAMP),
        ("level", "warning"),
        ("msg", "request failed"),
        ("status", 502),
        ("model", "a b"),
    ]


@for_each("text", HOSTILE)
def test_no_text_adds_a_line_or_a_control_character(text: str) -> None:
    for render in FORMATS.values():
        line = render(AT, "INFO", text, {"model": text, "path": text}, [])
        assert len(line.splitlines()) == 1
        assert line.isprintable()


@for_each("text", HOSTILE)
def test_a_field_can_be_read_back(text: str) -> None:
    line = render_text(AT, "INFO", "m", {"model": text, "last": "z"}, [])
    head, tail = f"{STAMP} INFO m model=", " last=z"
    assert line.startswith(head)
    assert line.endswith(tail)
    value = line[len(head) : -len(tail)]
    assert (json.loads(value) if value.startswith('"') else value) == text
    assert json.loads(render_json(AT, "INFO", text, {"model": text}, []))["model"] == text


def test_a_value_of_another_type_is_written_as_text() -> None:
    assert render_text(AT, "INFO", "m", {"a": 0.0000123}, []).endswith("a=0.000012")
    assert render_text(AT, "INFO", "m", {"a": ["x y"]}, []).endswith("a=\"['x y']\"")
    assert json.loads(render_json(AT, "INFO", "m", {"a": {1}}, []))["a"] == "{1}"


def record(error: BaseException | None = None, **more: Any) -> logging.LogRecord:
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    found = logging.LogRecord("headway", logging.ERROR, "f.py", 1, "it %s", ("failed",), exc_info)
    found.__dict__.update(more)
    return found


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def formatted(form: str, error: BaseException | None = None, *, shows: bool = False) -> str:
    formatter = LineFormatter(FORMATS[form], shows_messages=shows)
    return formatter.format(record(error, fields={"request_id": "r-1"}))


def test_a_record_is_formatted_with_its_arguments_and_fields() -> None:
    assert formatted("text").endswith("ERROR it failed request_id=r-1")
    assert json.loads(formatted("json"))["msg"] == "it failed"
    plain = LineFormatter(render_text, shows_messages=False).format(record())
    assert plain.endswith("ERROR it failed")


def test_a_traceback_is_indented_or_one_field() -> None:
    error = raised(ValueError("a prompt"))
    first, *rest = formatted("text", error).splitlines()
    assert first.endswith("request_id=r-1")
    assert all(line.startswith("    ") for line in rest)
    assert rest[0] == "    Traceback (most recent call last):"
    assert rest[-1] == "    ValueError"
    exception = json.loads(formatted("json", error))["exception"]
    assert exception.splitlines()[0] == "Traceback (most recent call last):"


@pytest.mark.parametrize("form", FORMATS)
def test_the_message_of_an_exception_may_hold_a_prompt_and_is_for_debugging_only(form: str) -> None:
    inner = raised(KeyError("the prompt"))
    error = raised(ValueError("could not convert: 'the prompt'"), inner)
    assert "the prompt" not in formatted(form, error)
    assert formatted(form, error, shows=True).count("the prompt") == 2


@pytest.mark.parametrize("form", FORMATS)
def test_the_message_of_the_system_is_shown(form: str) -> None:
    shown = formatted(form, raised(OSError(28, "No space left on device")))
    assert "OSError: [Errno 28] No space left on device" in shown
    assert "ModuleNotFoundError: no xyz" in formatted(form, raised(ModuleNotFoundError("no xyz")))


def test_an_exception_cannot_forge_a_line() -> None:
    error = raised(OSError("x\n2025-11-29T08:42:00.123Z INFO forged\x1b[2J"))
    lines = formatted("text", error, shows=True).splitlines()
    assert [line for line in lines if not line.startswith("    ")] == lines[:1]
    assert "\x1b" not in "".join(lines)


def test_causes_come_first_and_a_circle_ends() -> None:
    first, second = ValueError(), TypeError()
    first.__context__, second.__context__ = second, first
    names = [line.strip() for line in formatted("text", first).splitlines() if "Error" in line]
    assert names[-2:] == ["TypeError", "ValueError"]
    hidden = raised(ValueError(), None)
    hidden.__context__ = TypeError()
    assert "TypeError" not in formatted("text", hidden)

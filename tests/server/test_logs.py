"""The set-up of the log, in this process."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from headway.config import Log
from headway.server import logs
from headway.server.http.access_log import AccessEntry

HEADWAY = logging.getLogger("headway")


@pytest.fixture(autouse=True)
def unchanged() -> Iterator[None]:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, HEADWAY.level)
    yield
    root.handlers[:], level, own = before[0], before[1], before[2]
    root.setLevel(level)
    HEADWAY.setLevel(own)


def logged(capsys: pytest.CaptureFixture[str], settings: Log) -> list[str]:
    logs.configure(settings)
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        HEADWAY.log(level, "ours")
        logging.getLogger("uvicorn.error").log(level, "theirs")
    return [" ".join(line.split()[1:]) for line in capsys.readouterr().err.splitlines()]


BOTH = ["WARNING ours", "WARNING theirs", "ERROR ours", "ERROR theirs"]


@pytest.mark.parametrize(
    ("level", "lines"),
    [
        ("debug", ["DEBUG ours", "INFO ours", *BOTH]),
        ("info", ["INFO ours", *BOTH]),
        ("warning", BOTH),
        ("error", BOTH[2:]),
    ],
)
def test_a_level_leaves_out_what_is_below(
    level: str, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert logged(capsys, Log(level=level)) == lines


def test_another_configuration_replaces_the_one_before(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Log(level="error", format="text"))
    logs.configure(Log(level="info", format="json"))
    HEADWAY.info("once", extra={"fields": {"a": 1}})
    [line] = capsys.readouterr().err.splitlines()
    assert json.loads(line) | {"ts": ""} == {"ts": "", "level": "info", "msg": "once", "a": 1}


def entry(**more: Any) -> AccessEntry:
    made = AccessEntry("GET", b"/v1/models?key=secret", 0.0)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def test_the_access_log_has_one_line_for_each_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert logs.new_access_log(Log()) is None
    write = logs.new_access_log(Log(access=True, level="error"))
    assert write is not None
    write(entry(status=200, size=17, request_id="r-1"))
    line = capsys.readouterr().err
    assert " INFO access method=GET path=/v1/models status=200 duration_s=" in line
    assert line.endswith(" request_id=r-1 bytes=17\n")
    assert "secret" not in line


def test_the_access_log_may_be_json(capsys: pytest.CaptureFixture[str]) -> None:
    write = logs.new_access_log(Log(access=True, format="json"))
    assert write is not None
    write(entry())
    line = json.loads(capsys.readouterr().err)
    assert list(line) == [
        "ts", "level", "msg", "method", "path", "status", "duration_s", "request_id", "bytes",
    ]  # fmt: skip
    assert (line["msg"], line["status"], line["request_id"]) == ("access", 499, "")


def test_what_is_said_at_the_start_depends_on_the_format_only(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = [("INFO", "Headway listening"), ("WARNING", "a: ignored")]
    logs.announce(Log(level="error"), said)
    assert capsys.readouterr().err == "Headway listening\nwarning: a: ignored\n"
    logs.announce(Log(level="error", format="json"), said)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["level"], line["msg"]) for line in lines] == [
        ("info", "Headway listening"),
        ("warning", "a: ignored"),
    ]


@pytest.mark.parametrize(
    "error", [OSError(28, "full"), ValueError("closed file"), BrokenPipeError()]
)
def test_a_log_that_nobody_can_read_stops_nothing(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def write(self, text: str) -> None:
            raise error

        def flush(self) -> None:
            """Never reached."""

    logs.configure(Log())
    monkeypatch.setattr(sys, "stderr", Broken())
    HEADWAY.error("lost")
    logs.announce(Log(), [("INFO", "lost")])

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import Raw
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from cli.ledger_files import billed, recent, spool, write_config
from headway.cli.app import app
from headway.record import Feedback
from support.ledger_stores import make_content, uuid_of
from support.waiting import PATIENCE_S

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    write_config(tmp_path)  # found in the working directory
    return lambda *arguments: CliRunner(env={"COLUMNS": "100"}).invoke(app, list(arguments))


def test_records_that_were_never_stored_are_listed_without_a_gateway(
    run: Run, tmp_path: Path
) -> None:
    spool(tmp_path, [recent(1, 9), recent(2, 5, session_id="s-1")])
    result = run("logs")
    assert result.exit_code == 0, result.stderr
    first, second = (line.split("\t") for line in result.stdout.splitlines())
    assert first[1:] == [
        "00000001", "openai/gpt-4.1", "1,000", "200", "$0.0036", "", "500ms", "400.0", "200",
        "", "",
    ]  # fmt: skip
    assert (second[1], second[11]) == ("00000002", "s-1")
    assert run("logs").stdout == result.stdout  # they are stored now, once


def test_a_ledger_without_records_says_how_to_make_one(run: Run, tmp_path: Path) -> None:
    result = run("logs")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no calls are recorded yet" in result.stderr
    assert "headway chat Hi" in result.stderr
    assert json.loads(run("logs", "--json").stdout) == {"data": [], "next_cursor": None}
    assert "no calls are recorded yet" in run("logs", "show").stderr
    assert not (tmp_path / "ledger.db").exists()  # a question creates nothing


def test_filters_choose_and_the_limit_keeps_the_latest(run: Run, tmp_path: Path) -> None:
    failed = {"outcome": "error", "status": 429, "error_type": "rate_limit_error"}
    spool(
        tmp_path,
        [
            recent(1, 7200, user="ann"),
            recent(2, 60, tags=("team:search",)),
            recent(3, 30, **failed),
            recent(4, 10, cost_usd="0.5"),
        ],
    )
    ids = _ids(run)
    assert ids("logs") == [1, 2, 3, 4]
    assert ids("logs", "-n", "2") == [3, 4]
    assert ids("logs", "--since", "1h") == [2, 3, 4]
    assert ids("logs", "--user", "ann", "--user", "bob") == [1]
    assert ids("logs", "--tag", "team:search") == [2]
    assert ids("logs", "--status", "4xx,5xx") == [3]
    assert ids("logs", "--min-cost", "0.1") == [4]
    nothing = run("logs", "--provider", "nobody")
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert "no calls match these options" in nothing.stderr


def test_a_wrong_filter_names_the_option(run: Run) -> None:
    result = run("logs", "--min-cost", "cheap")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: --min-cost is wrong: it takes a number of US dollars")
    assert "--since must be before --until" in run("logs", "--since", "1h", "--until", "2h").stderr


def test_json_is_that_of_the_api(run: Run, tmp_path: Path) -> None:
    spool(tmp_path, [recent(1, 9), recent(2, 5)])
    page = json.loads(run("logs", "--json", "-n", "1").stdout)
    assert [line["id"] for line in page["data"]] == [uuid_of(2)]
    assert page["data"][0]["cost_usd"] == 0.0036
    assert page["next_cursor"]


def test_a_call_is_found_by_the_first_characters_of_its_id(run: Run, tmp_path: Path) -> None:
    spool(tmp_path, [recent(1, 9), recent(0x1111, 7), recent(0x1112, 5)])
    assert run("logs", "show", "00000001").stdout.startswith(uuid_of(1))
    assert run("logs", "show", "request-1").stdout.startswith(uuid_of(1))
    assert run("logs", "show").stdout.startswith(uuid_of(0x1112))  # the latest
    several = run("logs", "show", "0000111")
    assert several.exit_code == 1
    assert "2 calls have an id that begins with 0000111" in several.stderr
    nobody = run("logs", "show", "abcdef")
    assert nobody.exit_code == 1
    assert nobody.stderr.startswith("error: there is no call abcdef\nhint:  `headway logs` lists")


def test_one_call_is_shown_with_its_attempts_bill_times_messages_and_feedback(
    run: Run, tmp_path: Path
) -> None:
    failed = replace(
        recent(1, 6),
        is_last=False,
        outcome="error",
        status=503,
        upstream_status=503,
        error_type="upstream_error",
        error_message="The provider is\noverloaded.",
        cost_usd=None,
    )
    last = replace(
        billed(recent(1, 5)),
        id=uuid_of(2),
        attempt=2,
        attempts=2,
        role="retry",
        content="full",
        tags=("team:search",),
        time_to_sent_s=0.1,
        time_to_first_byte_s=0.3,
        time_to_first_token_s=0.4,
        transformations=("dropped seed: unsupported by Cohere",),
    )
    content = replace(
        make_content(1, b""),
        timestamp=last.timestamp,
        messages=Raw(b'[{"role":"user","content":"How are you?"}]'),
        output=Raw(b'[{"role":"assistant","content":"Well."}]'),
    )
    score = Feedback(
        id=uuid_of(9), call_id=uuid_of(1), timestamp=last.timestamp, score=1, comment="helpful"
    )
    spool(tmp_path, [failed, content, last, score])
    result = run("logs", "show", uuid_of(1))
    assert result.exit_code == 0, result.stderr
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    for expected in (
        "model openai/gpt-4.1, served by gpt-4.1-2025-04-14",
        "cost $0.0033",
        "tags team:search",
        "1 first openai/gpt-4.1, served … error 503 500ms The provider is overload…",
        "input 800 $2.00 / 1M $0.0016",
        "cache read 200 $0.50 / 1M $0.0001",
        "total $0.0033",
        "dropped seed: unsupported by Cohere",
        "user How are you?",
        "assistant Well.",
    ):
        assert expected in lines, (expected, result.stdout)
    assert any(line.startswith("2: first token ") and "█" in line for line in lines)
    assert any(line.endswith("1 · helpful") for line in lines)
    assert json.loads(run("logs", "show", uuid_of(1), "--json").stdout)["attempts"] == 2


def test_a_terminal_gets_the_columns_that_fit(tmp_path: Path) -> None:
    write_config(tmp_path)
    spool(tmp_path, [recent(1, 9, session_id="s-1", model="m" * 40), recent(2, 5)])
    narrow, wide = (_in_terminal(columns, "logs") for columns in (80, 200))
    assert max(map(len, narrow.splitlines())) <= 80
    assert narrow.split()[:8] == ["Time", "Id", "Model", "In", "Out", "Cost", "Took", "HTTP"]
    assert "openai/" + "m" * 40 in wide
    assert "Session" in wide.splitlines()[0]
    assert "s-1" in wide


def test_follow_goes_on_with_calls_as_they_end(tmp_path: Path) -> None:
    write_config(tmp_path)
    spool(tmp_path, [recent(1, 9)])
    command = [sys.executable, "-m", "headway", "logs", "-f", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["id"] == uuid_of(1)
        spool(tmp_path, [recent(2, 0)])
        assert json.loads(process.stdout.readline())["id"] == uuid_of(2)
        process.send_signal(signal.SIGINT)
    assert process.returncode == 130


def test_follow_ends_at_the_time_of_until(run: Run, tmp_path: Path) -> None:
    spool(tmp_path, [recent(1, 9)])
    result = run("logs", "-f", "--until", f"{time.time() + 0.5:.3f}")
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1


def _ids(run: Run) -> Callable[..., list[int]]:
    def ids(*arguments: str) -> list[int]:
        result = run(*arguments)
        assert result.exit_code == 0, result.stderr
        return [int(line.split("\t")[1], 16) for line in result.stdout.splitlines()]

    return ids


def _in_terminal(columns: int, *arguments: str) -> str:
    master, slave = pty.openpty()
    environ = {**os.environ, "COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "dumb"}
    command = [sys.executable, "-m", "headway", *arguments]
    process = subprocess.Popen(command, env=environ, stdout=slave, stderr=subprocess.DEVNULL)
    os.close(slave)
    output = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # EIO: the other side is gone
            break
        if not piece:
            break
        output += piece
    os.close(master)
    assert process.wait(PATIENCE_S) == 0
    return output.decode().replace("\r\n", "\n")

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from cli.ledger_files import recent, spool, write_config
from headway.cli.app import app
from support.ledger_stores import uuid_of


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_sessions_are_listed_the_latest_at_the_bottom(tmp_path: Path) -> None:
    write_config(tmp_path)
    spool(
        tmp_path,
        [
            recent(1, 300, session_id="first", user="ann"),
            recent(2, 200, session_id="second", outcome="error"),
            recent(3, 100, session_id="second", model="gpt-4.1-mini"),
            recent(4, 50),
        ],
    )
    result = run("sessions")
    assert result.exit_code == 0, result.stderr
    first, second = (line.split("\t") for line in result.stdout.splitlines())
    assert first[1:9] == ["first", "1", "", "1,000", "200", "$0.0036", "0s", "ann"]
    assert second[1:7] == ["second", "2", "1", "2,000", "400", "$0.0072"]
    assert set(second[9].split(", ")) == {"gpt-4.1", "gpt-4.1-mini"}
    assert run("sessions", "-n", "1").stdout.split("\t")[1] == "second"
    assert run("sessions", "--user", "ann").stdout.split("\t")[1] == "first"
    page = json.loads(run("sessions", "--json").stdout)
    assert [one["id"] for one in page["data"]] == ["second", "first"]


def test_a_session_is_shown_call_by_call(tmp_path: Path) -> None:
    write_config(tmp_path)
    spool(tmp_path, [recent(n, 100 - n, session_id="a, b") for n in (1, 2, 3)])
    calls = [line.split("\t")[1] for line in run("sessions", "a, b").stdout.splitlines()]
    assert calls == ["00000001", "00000002", "00000003"]
    details = json.loads(run("sessions", "a, b", "--json").stdout)
    assert details["session"]["calls"] == 3
    assert [one["id"] for one in details["data"]] == [uuid_of(n) for n in (1, 2, 3)]


def test_what_is_not_there_says_how_sessions_are_made(tmp_path: Path) -> None:
    write_config(tmp_path)
    empty = run("sessions")
    assert (empty.exit_code, empty.stdout) == (0, "")
    assert "x-headway-session" in empty.stderr
    missing = run("sessions", "nobody")
    assert missing.exit_code == 1
    assert missing.stderr.startswith("error: there is no session nobody\nhint:  `headway sessions`")

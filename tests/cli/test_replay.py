from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from msgspec import Raw
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from cli.ledger_files import recent, spool, write_config
from headway.cli.app import app
from headway.cli.gateway_process import gateway
from support.ledger_stores import make_content, uuid_of


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def fill(folder: Path) -> None:
    """One call whose messages are kept, and one whose are not."""
    write_config(folder)
    record = recent(1, 9, content="full", provider="echo", model="echo")
    content = replace(
        make_content(1, b""),
        timestamp=record.timestamp,
        messages=Raw(b'[{"role":"user","content":"Two words"}]'),
        output=Raw(b'[{"role":"assistant","content":"Two words"}]'),
    )
    spool(folder, [content, record, recent(2, 5)])


def test_a_request_runs_again_without_a_gateway_and_is_recorded(tmp_path: Path) -> None:
    fill(tmp_path)
    result = run("replay", "00000001", "-m", "echo/echo", "-m", "nobody/model")
    assert result.exit_code == 0, result.stderr
    original, echo, unknown = (line.split("\t") for line in result.stdout.splitlines())
    assert original[:5] == ["echo/echo", "00000001", "1,000", "200", "$0.0036"]
    assert original[11] == "the original"
    assert echo[:1] + echo[2:6] == ["echo/echo", "2", "2", "$0.00002", "-$0.00358"]
    assert echo[11] == "stop, the same text"
    assert (unknown[0], unknown[11]) == ("nobody/model", "not_found_error")
    logged = run("logs", "--tag", f"replay:{uuid_of(1)}").stdout.splitlines()
    assert {line.split("\t")[2] for line in logged} == {"echo/echo", "nobody/model"}


def test_a_running_gateway_can_do_it(tmp_path: Path) -> None:
    fill(tmp_path)
    assert run("logs").exit_code == 0  # stores the records
    command = [sys.executable, "-m", "headway", "serve", "--port", "0"]
    with gateway(command, os.environ) as process:
        url = process.url(30)
        done = run("replay", uuid_of(1), "-m", "echo/echo", "--json", "--url", url)
        missing = run("replay", uuid_of(2), "-m", "echo/echo", "--url", url)
    assert done.exit_code == 0, done.stderr
    comparison = json.loads(done.stdout)
    assert comparison["results"][0]["text"] == "Two words"
    assert comparison["results"][0]["metrics"]["cost_usd"] == 0.00002
    assert missing.exit_code == 1
    assert "HTTP 409 · invalid_request_error · content_not_kept" in missing.stderr


def test_messages_that_were_not_kept_are_missed_with_the_setting(tmp_path: Path) -> None:
    fill(tmp_path)
    result = run("replay", "00000002", "-m", "echo/echo")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "`ledger.content: full`" in result.stderr
    wrong = run("replay", "00000001", "-m", "echo/echo", "-p", "model=x")
    assert wrong.stderr.startswith("error: `parameters.model` cannot be replaced")
    nobody = run("replay", "abcdef", "-m", "echo/echo")
    assert nobody.stderr.startswith("error: there is no call abcdef")
    assert run("replay", "00000001").exit_code == 2  # no model

"""The commands on a ledger in PostgreSQL: one line of the configuration is another one."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from cli.ledger_files import billed, recent, spool, write_config
from headway.cli.app import app
from support.ledger_stores import uuid_of
from support.services import postgresql


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.stderr
    return result


def test_every_command_works_on_postgresql(tmp_path: Path) -> None:
    with postgresql() as url:
        write_config(tmp_path, url)
        spool(tmp_path, [billed(recent(1, 9, session_id="s-1")), recent(2, 5, user="ann")])
        assert len(run("logs").stdout.splitlines()) == 2
        assert run("logs", "--user", "ann").stdout.split("\t")[1] == "00000002"
        assert run("logs", "show", "00000001").stdout.startswith(uuid_of(1))
        assert run("usage").stdout.split("\t")[:2] == ["gpt-4.1", "2"]
        assert run("sessions").stdout.split("\t")[1] == "s-1"
        assert [json.loads(line)["id"] for line in run("export").stdout.splitlines()] == [
            uuid_of(1),
            uuid_of(2),
        ]
        facts = run("db").stdout
        assert facts.startswith("database    postgresql, ")
        assert "calls       2, with 2 attempts" in facts
        assert run("db", "check").stdout == "OK\n"

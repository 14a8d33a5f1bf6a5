from __future__ import annotations

import csv
import json
from pathlib import Path

from typer.testing import CliRunner, Result

from cli.ledger_files import recent, spool, write_config
from headway.cli.app import app
from support.ledger_stores import uuid_of


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_records_go_to_stdout_as_lines_of_json(tmp_path: Path) -> None:
    write_config(tmp_path)
    spool(tmp_path, [recent(1, 9), recent(2, 5, model="m")])
    result = run("export")
    assert result.exit_code == 0, result.stderr
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == [
        uuid_of(1),
        uuid_of(2),
    ]
    filtered = run("export", "--model", "m", "--format", "csv").stdout.splitlines()
    assert [row["model"] for row in csv.DictReader(filtered)] == ["m"]


def test_the_name_of_the_file_says_the_format(tmp_path: Path) -> None:
    write_config(tmp_path)
    spool(tmp_path, [recent(1, 9)])
    result = run("export", "-o", "calls.csv")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("calls.csv: ")
    with (tmp_path / "calls.csv").open(newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == [uuid_of(1)]
    assert run("export", "-o", "calls.parquet").exit_code == 0
    assert (tmp_path / "calls.parquet").read_bytes()[:4] == b"PAR1"
    assert [file.name for file in tmp_path.glob(".calls*")] == []


def test_a_file_that_cannot_be_written_and_a_wrong_format_are_explained(tmp_path: Path) -> None:
    write_config(tmp_path)
    nowhere = run("export", "-o", "missing/calls.csv")
    assert nowhere.exit_code == 1
    assert nowhere.stderr == (
        "error: missing/calls.csv cannot be written: No such file or directory\n"
    )
    wrong = run("export", "--format", "xml")
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith("error: --format is wrong: it takes csv, jsonl or parquet")

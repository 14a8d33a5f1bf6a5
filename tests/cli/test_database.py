from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from cli.ledger_files import SPOOL, recent, spool, write_config
from headway.cli.app import app
from headway.ledger.spool_reader import ShipperLock


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_db_says_where_the_records_are_and_what_waits(tmp_path: Path) -> None:
    write_config(tmp_path)
    spool(tmp_path, [recent(1, 9)])
    lines = _facts(run("db"))
    assert lines["database"] == f"sqlite, {tmp_path}/ledger.db"
    assert lines["calls"] == "0, with 0 attempts"  # to look changes nothing
    assert " B since " in lines["waiting"] or " kB since " in lines["waiting"]
    assert "headway db ship" in lines["stored by"]
    assert run("db", "ship").stdout == "stored 1 records\n"
    lines = _facts(run("db"))
    assert lines["calls"] == "1, with 1 attempts"
    assert lines["waiting"] == "nothing"
    assert lines["retention"] == "calls for ever"
    assert "ledger.content is full" in lines["messages"]


def test_a_ledger_that_does_not_exist_yet_is_named_and_not_created(tmp_path: Path) -> None:
    write_config(tmp_path)
    assert _facts(run("db"))["database"] == f"sqlite, {tmp_path}/ledger.db (not created yet)"
    assert not (tmp_path / "ledger.db").exists()
    assert run("db", "migrate").stdout.startswith(f"{tmp_path}/ledger.db: schema version ")
    assert (tmp_path / "ledger.db").exists()


def test_the_json_of_db_has_the_spool(tmp_path: Path) -> None:
    write_config(tmp_path)
    spool(tmp_path, [recent(1, 9)])
    facts = json.loads(run("db", "--json").stdout)
    assert facts["database"]["kind"] == "sqlite"
    assert facts["spool"]["directory"] == f"{tmp_path}/{SPOOL}"
    assert facts["spool"]["unstored_bytes"] > 100
    assert facts["spool"]["is_shipper_running"] is False


def test_the_spool_of_a_gateway_that_runs_is_left_to_it(tmp_path: Path) -> None:
    write_config(tmp_path)
    assert run("db", "migrate").exit_code == 0
    spool(tmp_path, [recent(1, 9)])
    lock = ShipperLock(str(tmp_path / SPOOL))
    assert lock.take()
    try:
        result = run("db", "ship")
        assert (result.exit_code, result.stdout) == (0, "")
        assert "a gateway that runs stores the records" in result.stderr
        assert _facts(run("db"))["stored by"] == "a gateway, at once"
    finally:
        lock.release()


def test_check_says_ok(tmp_path: Path) -> None:
    write_config(tmp_path)
    spool(tmp_path, [recent(1, 9)])
    result = run("db", "check")
    assert (result.exit_code, result.stdout) == (0, "OK\n")


def test_prune_deletes_what_is_older_and_keeps_its_usage(tmp_path: Path) -> None:
    write_config(tmp_path)
    spool(tmp_path, [recent(1, 5 * 86400), recent(2, 9)])
    result = run("db", "prune", "--before", "1d")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("deleted 1 records")
    assert len(run("logs").stdout.splitlines()) == 1
    assert run("usage").stdout.split("\t")[1] == "2"


def test_prune_archives_first_and_deletes_nothing_that_it_cannot_archive(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    whole = config.read_text()
    spool(tmp_path, [recent(1, 5 * 86400), recent(2, 9)])
    (tmp_path / "file").write_text("")
    config.write_text(whole.replace("content: full", f"archive: {tmp_path}/file/archive"))
    refused = run("db", "prune", "--before", "1d")
    assert refused.exit_code == 1
    assert refused.stderr.splitlines()[-1].startswith("error: nothing was deleted: cannot archive")
    assert len(run("logs").stdout.splitlines()) == 2
    config.write_text(whole.replace("content: full", f"archive: {tmp_path}/archive"))
    assert run("db", "prune", "--before", "1d").stdout.startswith("deleted 1 records")
    assert len(list((tmp_path / "archive").rglob("*.parquet"))) == 1


def test_prune_needs_to_know_what_is_old(tmp_path: Path) -> None:
    write_config(tmp_path)
    result = run("db", "prune")
    assert result.exit_code == 2
    assert "ledger.retention" in result.stderr
    wrong = run("db", "prune", "--before", "soon")
    assert wrong.stderr.startswith("error: --before takes an age such as 90d")


def test_a_database_that_cannot_be_used_is_named_with_its_setting(tmp_path: Path) -> None:
    write_config(tmp_path)
    (tmp_path / "ledger.db").write_bytes(b"this is no database" * 100)
    result = run("logs")
    assert result.exit_code == 2
    assert "ledger.url" in result.stderr
    assert str(tmp_path / "ledger.db") in result.stderr


def _facts(result: Result) -> dict[str, str]:
    assert result.exit_code == 0, result.stderr
    return {line[:12].strip(): line[12:] for line in result.stdout.splitlines()}

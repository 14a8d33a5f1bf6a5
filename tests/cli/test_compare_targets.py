from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from cli.ledger_files import recent, spool, write_config
from headway.cli.app import app


def test_the_targets_of_a_route_are_compared(tmp_path: Path) -> None:
    write_config(tmp_path)
    routed = {"route_name": "smart"}
    first = [recent(at, at, cost_usd="0.004", **routed) for at in range(1, 121)]
    other = [
        recent(at, at, cost_usd="0.001", provider="groq", **routed) for at in range(1000, 1110)
    ]
    spool(tmp_path, [*first, *other])
    result = CliRunner().invoke(app, ["compare-targets", "smart"])
    assert result.exit_code == 0, result.stderr
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert [row[1:] for row in rows[:2]] == [["120", "0.004"], ["110", "0.001"]]
    assert "is cheaper than" in rows[2][0]
    assert "this holds whenever you look" in rows[2][0]
    options = ["--targets", f"{rows[1][0]},{rows[0][0]}", "--until", "1s", "--json"]
    found = json.loads(CliRunner().invoke(app, ["compare-targets", "smart", *options]).stdout)
    assert [each["result"] for each in found["targets"]] == [None, "higher"]
    nothing = CliRunner().invoke(app, ["compare-targets", "other"])
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert "No request of this route" in nothing.stderr
    wrong = CliRunner().invoke(app, ["compare-targets", "smart", "--metric", "weight"])
    assert wrong.exit_code == 2
    assert "--metric is wrong: it takes cost, latency" in wrong.stderr

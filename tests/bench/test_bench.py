"""Every benchmark runs with a minimal load and reports its results. Figures are not checked."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def run(tmp_path: Path, module: str, *arguments: str) -> tuple[str, dict[str, Any]]:
    """Its table, and its JSON."""
    path = tmp_path / "result.json"
    argv = [sys.executable, "-m", f"bench.{module}", *arguments, "--json", str(path)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads(path.read_text())


def test_compare_puts_headway_beside_nginx(tmp_path: Path) -> None:
    for tool in ("nginx", "wrk"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    tiny = "--rounds 1 --seconds 0.2 --streams 3 --stream-rounds 1 --growth 10 --starts 1"

    table, result = run(tmp_path, "compare", "--only", "nginx,headway", *tiny.split())

    nginx, headway = result["gateways"]["nginx"], result["gateways"]["headway"]
    assert [load["failed"] for load in [*nginx["relay"], *headway["relay"]]] == [0, 0]
    assert [load["failed"] for load in headway["engine"]] == [0]
    assert headway["engine"][0]["requests"] > 0
    # one event more where nothing is taken out: the usage that the client did not ask for
    assert (nginx["streams"]["events"], headway["streams"]["events"]) == (3 * 104, 3 * 103)
    assert headway["streams"]["failed"] == 0
    assert result["growth"]["requests"] >= 10
    assert result["scaling"]["two"]["failed"] == 0
    assert result["startup"]["listening_s"] > 0
    assert "nginx" in table
    assert "2 workers over 1" in table


def test_soak_verifies_the_reply_and_record_of_every_kind(tmp_path: Path) -> None:
    table, result = run(tmp_path, "soak", "--requests", "400", "--connections", "4")

    assert result["wrong"] == {}
    assert result["problems"] == []
    assert all(result["kinds"].values())
    assert result["readings"][-1]["records"] == result["expected_records"]
    assert "flat, nothing left" in table


def test_profile_splits_every_case_by_package(tmp_path: Path) -> None:
    table, result = run(tmp_path, "profile", "--requests", "5", "--hottest", "3")

    profiles = result["profiles"]
    assert [profile["name"] for profile in profiles] == [
        *("relay", "route", "cached", "openai", "stream", "ndjson", "engine", "anthropic"),
        *("gemini", "responses", "anthropic-over-openai", "openai-over-anthropic"),
    ]
    for profile in profiles:
        packages = {"pipeline", "server", "metering"}
        if profile["name"] != "cached":
            packages |= {"transport"}
        assert packages <= set(profile["shares"])
        assert sum(profile["shares"].values()) == pytest.approx(1.0)
        assert len(profile["hottest"]) == 3
    assert "a further event" in table
    assert profiles[3]["us_per_event"] is not None


def test_a_missing_tool_is_named_with_the_command_that_brings_it() -> None:
    argv = [sys.executable, "-m", "bench.compare"]

    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, env={"PATH": ""})

    assert done.returncode == 1
    assert "missing: nginx, wrk" in done.stderr
    assert "apt-get install nginx wrk" in done.stderr


def test_recording_splits_the_cost_of_a_record(tmp_path: Path) -> None:
    table, result = run(tmp_path, "recording", "--only", "relay,stream", "--records", "5")

    assert table.splitlines()[0].endswith("a record  bytes  content of 2 kB")
    assert [cost["name"] for cost in result["costs"]] == ["relay", "stream"]
    assert all(cost[each] > 0 for cost in result["costs"] for each in ("make", "write", "content"))

"""What a server that runs already makes of a configuration that has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway.config import Config, Ledger, Overrides, load
from headway.providers import FACTS
from headway.server.run import read_anew, serve

KEYS = "server: {api_keys: [hw-key]}"


def begin(file: Path, text: str, overrides: Overrides) -> Config:
    file.write_text(text)
    return load(file, {}, FACTS, overrides)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HEADWAY_API_KEYS", "HEADWAY_HOST", "HEADWAY_PORT", "HEADWAY_WORKERS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "headway.yaml"


def test_what_the_command_line_said_of_the_place_stays(file: Path) -> None:
    config = begin(file, KEYS, Overrides(host="0.0.0.0", port=1234, workers=3))
    file.write_text("server: {api_keys: [hw-other], port: 80}")
    again = read_anew(config)
    assert again is not None
    assert (again.server.host, again.server.port, again.server.workers) == ("0.0.0.0", 1234, 3)
    assert again.server.api_keys == ("hw-other",)


def test_a_reload_opens_no_server_that_others_can_reach(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = begin(file, KEYS, Overrides(host="0.0.0.0"))
    file.write_text("server: {}")
    assert read_anew(config) is None
    assert "server.api_keys is empty" in caplog.text


def test_a_server_that_was_opened_on_purpose_can_be_reloaded(file: Path) -> None:
    config = begin(file, "server: {host: 0.0.0.0}", Overrides(insecure=True))
    again = read_anew(config)
    assert again is not None
    assert again.server.insecure


def test_a_server_that_could_keep_no_records_does_not_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert serve(Config(ledger=Ledger(url=f"sqlite:///{tmp_path}/file/ledger.db"))) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"headway: cannot keep records in {tmp_path}/file/ledger.db.spool.jsonl")
    assert "set ledger.url" in said

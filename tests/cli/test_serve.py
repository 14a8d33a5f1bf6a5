"""``headway serve`` and ``check-config``, with a function in place of the server."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner, Result

from cli.fake_gateway import LINE, OUTPUT, FakeGateway, running
from headway.cli.app import app
from headway.cli.errors import CommandError
from headway.cli.first_call import client_address, wait_until_healthy
from headway.config import Config, Secret, Server
from headway.sdk import Client
from support.ports import free_port
from support.waiting import PATIENCE_S

Serve = Callable[[Config], int]


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs ``headway serve ARGUMENTS`` with a function in place of the server."""

    def invoke(function: Serve, *arguments: str) -> Result:
        module = ModuleType("headway.server.serve")
        module.serve = function  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "headway.server.serve", module)
        return CliRunner().invoke(app, ["serve", *arguments])

    return invoke


class Recorded:
    """A server that notes its configuration and ends at once."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.configs: list[Config] = []

    def __call__(self, config: Config) -> int:
        self.configs.append(config)
        return self.code


def test_options_win_over_the_file(serving: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "headway.yaml").write_text("server: {port: 9001, workers: 3}\n")
    server = Recorded()
    result = serving(server, "--port", "0", "--host", "127.0.0.2")
    assert result.exit_code == 0, result.output
    found = server.configs[0].server
    assert (found.host, found.port, found.workers) == ("127.0.0.2", 0, 3)


def test_the_option_config_names_the_file(serving: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("server: {port: 9001}\n")
    server = Recorded()
    serving(server, "--config", "other.yaml")
    assert server.configs[0].server.port == 9001


def test_the_servers_exit_code_is_the_commands(serving: Callable[..., Result]) -> None:
    assert serving(Recorded(code=1)).exit_code == 1


def test_a_host_that_other_machines_reach_needs_keys_or_the_insecure_flag(
    serving: Callable[..., Result],
) -> None:
    server = Recorded()
    refused = serving(server, "--host", "0.0.0.0")
    assert refused.exit_code == 2
    assert "--insecure" in refused.stderr
    assert server.configs == []
    assert serving(server, "--host", "0.0.0.0", "--insecure").exit_code == 0


def test_errors_in_a_file_are_reported_with_their_lines(
    serving: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "headway.yaml").write_text("server:\n  prot: 1\n  workers: x\n")
    for result in (serving(Recorded()), CliRunner().invoke(app, ["check-config"])):
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.startswith("error: ")
        assert "headway.yaml:2" in result.stderr
        assert "headway.yaml:3" in result.stderr


def test_check_config_prints_a_summary_without_keys(tmp_path: Path) -> None:
    (tmp_path / "headway.yaml").write_text(
        "server: {port: 9001, workers: 2, api_keys: [hw-planted-1]}\n"
        "ledger: {url: 'sqlite:///log.db'}\n"
        "providers:\n"
        "  mine: {kind: openai, base_url: 'http://box:1/v1', api_key: sk-planted-2}\n"
        "  groq:\n"
    )
    result = CliRunner().invoke(app, ["check-config"])
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert lines[0] == f"OK: {tmp_path / 'headway.yaml'}"
    assert lines[1] == "server    http://127.0.0.1:9001, 2 workers, 1 key(s) let in"
    assert lines[2] == f"ledger    sqlite:///{tmp_path / 'log.db'}"
    assert "provider  mine (openai) at http://box:1/v1" in lines
    assert "provider  groq at https://api.groq.com/openai/v1, no key: set GROQ_API_KEY" in lines
    assert "planted" not in result.output


def test_check_config_refuses_a_ledger_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    url = f"sqlite:///{tmp_path}/file/log.db"
    (tmp_path / "headway.yaml").write_text(f"ledger: {{url: '{url}'}}\n")
    result = CliRunner().invoke(app, ["check-config"])
    assert result.exit_code == 2
    assert "cannot keep records in" in result.stderr
    assert "Not a directory; set ledger.spool" in " ".join(result.stderr.split())


def test_check_config_creates_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "headway.yaml").write_text("ledger: {url: 'sqlite:///new/log.db'}\n")
    assert CliRunner().invoke(app, ["check-config"]).exit_code == 0
    assert not (tmp_path / "new").exists()


def test_check_config_without_a_file_says_so() -> None:
    result = CliRunner().invoke(app, ["check-config"])
    assert result.stdout.startswith("OK: no file, the defaults hold\n")


# --- The greeting -------------------------------------------------------------------------------


def _until_greeted(gateway: FakeGateway) -> None:
    """What the server would do meanwhile: serve."""
    assert gateway.answered.wait(PATIENCE_S)


def _until_printed(capfd: pytest.CaptureFixture[str], printed: dict[str, str], text: str) -> None:
    for _ in range(400):
        out, err = capfd.readouterr()
        printed["out"] += out
        printed["err"] += err
        if text in printed["err"]:
            return
        time.sleep(0.05)
    raise AssertionError(printed)


def test_greet_makes_one_call_when_ready_and_prints_the_reply(
    serving: Callable[..., Result], capfd: pytest.CaptureFixture[str]
) -> None:
    printed = {"out": "", "err": ""}

    def server(config: Config) -> int:
        with running(config.server.port) as gateway:
            _until_greeted(gateway)
            assert gateway.asked["chat_input"] == "Hello! Who are you?"
            _until_printed(capfd, printed, "tok/s")
        return 0

    result = serving(server, "--greet", "--port", str(free_port()))
    assert result.exit_code == 0, result.output
    assert f'"chat_output": "{OUTPUT}"' in printed["out"]
    assert f"local/smollm2-135m-instruct · {LINE}\n" in printed["err"]


def test_the_first_call_uses_a_key_where_one_is_required(
    serving: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def server(config: Config) -> int:
        with running(config.server.port) as gateway:
            _until_greeted(gateway)
            seen.extend(request.headers["authorization"] for request in gateway.requests)
        return 0

    monkeypatch.setenv("HEADWAY_API_KEYS", "hw-first,hw-second")
    assert serving(server, "--greet", "--port", str(free_port())).exit_code == 0
    assert set(seen) == {"Bearer hw-first"}


def test_the_first_call_process_ends_with_the_server(serving: Callable[..., Result]) -> None:
    started: list[FakeGateway] = []

    def server(config: Config) -> int:
        with running(config.server.port) as gateway:
            started.append(gateway)
            assert gateway.seen.acquire(timeout=PATIENCE_S)
        return 7

    assert serving(server, "--greet", "--port", str(free_port())).exit_code == 7
    assert len(started) == 1


def test_no_first_call_is_sent_to_another_gateway(
    serving: Callable[..., Result], gateway: FakeGateway
) -> None:
    port = gateway.url.rpartition(":")[2]
    assert serving(Recorded(code=1), "--greet", "--port", port).exit_code == 1
    gateway.refuse(500, b"")
    assert serving(Recorded(code=1), "--greet", "--port", port).exit_code == 1
    assert {request.method for request in gateway.requests} == {"GET"}


def test_a_gateway_that_never_listens_is_not_waited_for_forever() -> None:
    with pytest.raises(CommandError, match="did not start to listen"):
        wait_until_healthy(Client("127.0.0.1:1"), seconds=0.1)


def test_greet_needs_a_port_that_is_known(serving: Callable[..., Result]) -> None:
    result = serving(Recorded(), "--greet", "--port", "0")
    assert result.exit_code == 2
    assert "--greet" in result.stderr


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("gateway.internal", "http://gateway.internal:8000"),
    ],
)
def test_a_server_bound_to_all_interfaces_is_reached_on_loopback(host: str, url: str) -> None:
    assert client_address(Server(host=host, api_keys=(Secret("k"),))) == url

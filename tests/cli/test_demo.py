"""``headway demo`` and the gateway process that it runs, with stand-ins for ``headway serve``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.fake_gateway import LINE, OUTPUT
from headway.cli import demo
from headway.cli.app import app
from headway.cli.errors import CommandError
from headway.cli.gateway_process import GatewayProcess
from support.waiting import PATIENCE_S

FAKE = str(Path(__file__).with_name("fake_gateway.py"))
NOTING = (
    "import os, sys; open('seen', 'w').write(repr((os.getpid(), sys.argv[1:], dict(os.environ))))\n"
)
LISTENING = "print('Headway listening on http://127.0.0.1:1', file=sys.stderr, flush=True)\n"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


@pytest.fixture
def run_demo(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    def run(*command: str) -> Result:
        monkeypatch.setattr(demo, "SERVE", command)
        return CliRunner().invoke(app, ["demo"])

    return run


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_demo_prints_the_reply_and_its_metrics(run_demo: Callable[..., Result]) -> None:
    result = run_demo(sys.executable, FAKE)
    assert result.exit_code == 0, result.output
    reply = json.loads(result.stdout)
    assert (reply["chat_input"], reply["chat_output"]) == ("Hello! Who are you?", OUTPUT)
    lines = result.stderr.splitlines()
    assert lines[0] == "starting a gateway ..."
    assert lines[1].startswith("asking local/smollm2-135m-instruct: Hello! Who are you?")
    assert lines[2] == f"local/smollm2-135m-instruct · {LINE}"


def test_its_gateway_has_defaults_whatever_the_environment(
    run_demo: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEADWAY_API_KEYS", "hw-1")
    monkeypatch.setenv("HEADWAY_LEDGER_URL", "sqlite:///precious.db")
    run_demo(sys.executable, "-c", NOTING)
    pid, arguments, environ = eval((tmp_path / "seen").read_text())
    assert not is_running(pid)
    assert arguments[:4] == ["--host", "127.0.0.1", "--port", "0"]
    assert arguments[4] == "--config"
    assert not Path(arguments[5]).exists()
    assert not {name for name in environ if name.startswith("HEADWAY_")}


def test_the_demos_configuration_is_a_valid_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["check-config", "--config", str(demo._config(tmp_path))])
    assert result.exit_code == 0
    assert f"sqlite:///{tmp_path}/headway.db" in result.stdout


def test_a_gateway_that_does_not_start_is_quoted(run_demo: Callable[..., Result]) -> None:
    code = "import sys; print('error: the port is taken', file=sys.stderr); sys.exit(2)"
    result = run_demo(sys.executable, "-c", code)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "error: the gateway did not start\n       error: the port is taken\n" in result.stderr


def test_a_gateway_that_has_exited_is_reported(run_demo: Callable[..., Result]) -> None:
    result = run_demo(sys.executable, "-c", f"import sys; {LISTENING}")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "no gateway answers" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_demo_that_is_stopped_leaves_nothing_behind(
    number: signal.Signals, tmp_path: Path
) -> None:
    play = f"import runpy; sys.argv = ['', 'slow']; runpy.run_path({FAKE!r}, run_name='__main__')"
    gateway = NOTING + play
    code = (
        "from headway.cli import demo, main\n"
        f"demo.SERVE = ({sys.executable!r}, '-c', {gateway!r})\n"
        "import sys; sys.argv[1:] = ['demo']; main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    with process, process.stderr:
        for line in process.stderr:
            if line.startswith("asking"):
                break
        process.send_signal(number)
        rest = process.stderr.read()
        assert process.wait(PATIENCE_S) == 128 + number
    assert "Traceback" not in rest
    pid, *_ = eval((tmp_path / "seen").read_text())
    assert not is_running(pid)


def test_silence_at_the_start_has_an_end() -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    process = GatewayProcess(command, os.environ)
    with pytest.raises(CommandError, match="did not start"):
        process.url(0.1)
    process.stop()
    assert process.returncode == -signal.SIGTERM


def test_a_gateway_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headway.cli.gateway_process.STOP_S", 0.1)
    code = f"import sys\n{STUBBORN}{LISTENING}time.sleep(60)"
    process = GatewayProcess([sys.executable, "-c", code], os.environ)
    assert process.url(PATIENCE_S) == "http://127.0.0.1:1"
    started = time.monotonic()
    process.stop()
    assert process.returncode == -signal.SIGKILL
    assert time.monotonic() - started < 50  # it would sleep for 60 s

"""Where ``headway serve`` listens, what it announces, and how it ends."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.conftest import Launch, standard_config
from contract.shapes import ok
from support.gateway_process import Gateway, clean_environment, write_config
from support.openai_upstream import Upstream
from support.raw_client import Client
from support.waiting import PATIENCE_S, until

COUNTS = pytest.mark.parametrize("count", ["1", "3"])


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@COUNTS
def test_it_announces_its_address_the_file_that_it_read_and_what_the_environment_says(
    launch: Launch, count: str
) -> None:
    variables = {
        "CO_API_URL": "http://127.0.0.1:9/v2",
        "HEADWAY_PORT": "tcp://10.0.0.7:8000",
        "MISTRAL_API_KEY": "your key here",
    }
    own = launch({"server": {"port": 0}}, args=("--workers", count), env=variables)
    assert own.client.get("/health").status == 200
    said = "".join(own.output)
    assert said.count("Headway listening on") == 1
    redirected = [line for line in own.output if " is at " in line]
    assert redirected == ["cohere is at http://127.0.0.1:9/v2, as CO_API_URL says\n"]
    assert f"configuration: {own.directory / 'headway.yaml'}\n" in said
    assert "warning: environment: HEADWAY_PORT: is the address of a Kubernetes service" in said
    assert "warning: environment: MISTRAL_API_KEY: must be a key" in said
    assert "your key" not in said


@COUNTS
@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
def test_it_listens_on_ipv6(launch: Launch, count: str) -> None:
    own = launch(args=("--host", "::1", "--port", "0", "--workers", count))
    assert own.base_url.startswith("http://[::1]:")
    assert ok(own.chat())


@COUNTS
def test_a_port_in_use_is_reported_in_one_line(tmp_path: Path, count: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        own = Gateway.spawn(tmp_path, {}, args=("--port", port, "--workers", count))
        assert own.wait() == 3
    (line,) = own.output
    assert line == f"headway: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@COUNTS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_graceful_stop_exits_with_zero(
    launch: Launch, count: str, number: signal.Signals
) -> None:
    own = launch(args=("--port", "0", "--workers", count))
    ok(own.chat())
    own.process.send_signal(number)
    assert own.wait() == 0
    assert "Traceback" not in "".join(own.output)


def test_the_same_port_can_be_served_again_at_once(launch: Launch) -> None:
    """Although connections of the first server are still in the kernel (TIME_WAIT)."""
    first = launch()
    port = first.base_url.rpartition(":")[2]
    with first.client.connect() as stream:
        first.stop()
        assert stream.is_closed_by_server()
    ok(launch(args=("--port", port)).chat())


@pytest.fixture
def silent() -> Iterator[str]:
    """A provider that never answers: no process accepts connections from its socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def test_a_second_signal_ends_the_grace_period(launch: Launch, silent: str) -> None:
    """Ctrl-C twice stops uvicorn at once."""
    own = launch({"providers": {"openai": {"kind": "openai", "base_url": silent}}})
    with own.open(is_stream=True):
        time.sleep(0.2)
        own.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert own.process.poll() is None
        own.process.send_signal(signal.SIGINT)
        try:
            own.wait()
        except subprocess.TimeoutExpired:
            own.kill()
            raise


# --- Reloading ------------------------------------------------------------------------------------


@COUNTS
def test_a_reload_says_once_what_only_a_restart_applies(
    launch: Launch, upstream: Upstream, count: str
) -> None:
    own = launch(args=("--workers", count), changes={"server": {"port": 0}})
    config = standard_config(upstream)
    own.reload({**config, "server": {"port": 8123, "host": "127.0.0.2", "keep_alive": 7}})
    until(lambda: "was reloaded" in "".join(own.output))
    [line] = [line for line in own.output if "was reloaded" in line]
    assert line.endswith("only a restart applies server.host, server.port\n")
    own.reload({**config, "server": {"port": 0}})
    until(lambda: "".join(own.output).count("was reloaded") == 2)
    assert own.output[-1].endswith("INFO the configuration was reloaded\n")
    assert ok(own.chat())  # a worker that has not reloaded yet has the same providers


def test_a_reload_applies_what_is_kept_of_messages(launch: Launch, upstream: Upstream) -> None:
    own = launch(args=("--port", "0"))
    config = {**standard_config(upstream), "ledger": {"content": "full"}}

    def reply(field: str) -> Any:
        asked = {"model": "gpt-4o", "chat_input": "Hi", "session_id": "s"}
        body = {**asked, "session": {"remember": True}}
        return own.client.call("POST", "/api/engine/chat/openai", body).json.get(field)

    assert "ledger.content: full" in reply("error")["message"]
    own.reload(config)
    until(lambda: "was reloaded" in "".join(own.output))
    assert "restart" not in own.output[-1]
    assert [message["role"] for message in reply("context")] == ["user"]
    own.reload({**config, "ledger": {"content": "full", "redact": "no_such_module:f"}})
    until(lambda: "the old one stays in use" in "".join(own.output))
    assert len(reply("context")) == 3


@COUNTS
@pytest.mark.parametrize(
    "providers",
    [
        {"openai": {"ca_file": "~nosuchuser/ca.pem"}},
        {"openai": {"kind": "nothing"}},
    ],
)
def test_the_old_configuration_stays_where_the_new_one_fails(
    launch: Launch, count: str, providers: Any
) -> None:
    own = launch(args=("--port", "0", "--workers", count))
    own.reload({"providers": providers, "ledger": {"url": "sqlite:///~nosuchuser/x.db"}})
    until(lambda: "the old one stays in use" in "".join(own.output))
    for _ in range(5):
        assert ok(own.chat())
    assert own.process.poll() is None
    assert "Traceback" not in "".join(own.output)


@COUNTS
def test_a_reload_without_a_working_directory_keeps_the_server(launch: Launch, count: str) -> None:
    own = launch(args=("--port", "0", "--workers", count))
    for path in own.directory.iterdir():
        if path.is_file():
            path.rename(own.directory.parent / f"moved-{path.name}")
    own.directory.rename(own.directory.parent / "moved")
    shutil.rmtree(own.directory.parent / "moved")
    own.process.send_signal(signal.SIGHUP)
    until(lambda: "the old one stays in use" in "".join(own.output))
    assert own.process.poll() is None
    assert own.client.get("/health").status == 200


@COUNTS
@pytest.mark.parametrize(
    "step", ["headway.cli.serve_parser.parse", "headway.server.serve._announce"]
)
def test_a_reload_during_the_start_is_not_lost(
    launch: Launch, upstream: Upstream, count: str, step: str, tmp_path: Path
) -> None:
    module, _, name = step.rpartition(".")
    code = (
        "import os, signal, sys\n"
        f"import {module} as module\n"
        f"step = module.{name}\n"
        "def interrupted(*arguments):\n"
        "    os.kill(os.getpid(), signal.SIGHUP)\n"
        "    return step(*arguments)\n"
        f"module.{name} = interrupted\n"
        "from headway.cli import main\n"
        "sys.argv[1:] = ['serve', '--config', 'headway.yaml', '--port', '0']\n"
        f"sys.argv += ['--workers', '{count}']\n"
        "main()\n"
    )
    write_config(tmp_path, standard_config(upstream))
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=clean_environment({}),
        stderr=subprocess.PIPE,
        text=True,
    )
    with process, process.stderr:
        assert any("the configuration was reloaded" in line for line in process.stderr)
        process.terminate()
        process.stderr.read()
        assert process.wait(PATIENCE_S) == 0


# --- Users without a home directory ---------------------------------------------------------------

NO_HOME = (
    "import pwd\n"
    "def nobody(uid): raise KeyError(uid)\n"
    "pwd.getpwuid = nobody\n"
    "import sys\n"
    "from headway.cli import main\n"
    "main()\n"
)


def without_home(directory: Path, *arguments: str, **environ: str) -> subprocess.Popen[str]:
    variables = {k: v for k, v in clean_environment(environ).items() if k != "HOME"}
    return subprocess.Popen(
        [sys.executable, "-c", NO_HOME, *arguments],
        cwd=directory,
        env=variables,
        stderr=subprocess.PIPE,
        text=True,
    )


@COUNTS
def test_a_user_without_a_home_can_serve(count: str, tmp_path: Path, upstream: Upstream) -> None:
    write_config(tmp_path, {**standard_config(upstream), "ledger": {"url": "sqlite:///here.db"}})
    process = without_home(
        tmp_path, "serve", "--config", "headway.yaml", "--port", "0", "--workers", count
    )
    with process, process.stderr:
        line = next(line for line in process.stderr if "listening on" in line)
        port = int(line.rpartition(":")[2])
        client = Client("127.0.0.1", port, [])
        assert client.get("/health").status == 200
        process.terminate()
        assert "Traceback" not in process.stderr.read()
        assert process.wait(PATIENCE_S) == 0


def test_a_user_without_a_home_is_told_to_set_the_ledger(tmp_path: Path) -> None:
    process = without_home(tmp_path, "serve", "--port", "0")
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert "ledger.url: is not set, and this user has no home directory" in said
    assert "Traceback" not in said


def test_a_hook_that_cannot_be_imported_stops_the_start(tmp_path: Path, upstream: Upstream) -> None:
    ledger = {"url": "sqlite:///here.db", "redact": "no_such_module:hide"}
    write_config(tmp_path, {**standard_config(upstream), "ledger": ledger})
    process = without_home(tmp_path, "serve", "--config", "headway.yaml", "--port", "0")
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert "ledger.redact: the module no_such_module cannot be imported" in said
    assert "Traceback" not in said

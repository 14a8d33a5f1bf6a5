"""Standard streams that are closed, or that cannot be written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from cli.fake_gateway import FakeGateway
from support.ports import free_port
from support.waiting import PATIENCE_S

FULL = "/dev/full"
"""A device on which every write fails (full(4))."""
HEADWAY = f"{sys.executable} -m headway"


def run(command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """In a shell, because only a shell can close a stream of its child."""
    return subprocess.run(
        ["/bin/sh", "-c", f"{HEADWAY} {command}"],
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
        timeout=PATIENCE_S,
    )


@pytest.mark.parametrize("command", ["--version", "--help", "providers", "check-config"])
def test_a_full_output_is_reported(command: str, gateway: FakeGateway) -> None:
    done = run(f"{command} >{FULL}", HEADWAY_URL=gateway.url)
    assert done.stderr == "error: the output cannot be written: No space left on device\n"
    assert done.returncode == 1


@pytest.mark.parametrize(
    "command", ["--version", "--help", "chat --help", "serve --help", "providers", "check-config"]
)
def test_a_reader_that_is_gone_is_no_error(command: str, gateway: FakeGateway) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "headway", *command.split()],
        stdout=writer,
        stderr=subprocess.PIPE,
        env={**os.environ, "HEADWAY_URL": gateway.url},
        timeout=PATIENCE_S,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("providers 2>/dev/full", 0),
        ("models --url 127.0.0.1:1 2>/dev/full", 3),
        ("check-config >/dev/full 2>/dev/full", 1),
        ("providers 2>&-", 0),
        ("models --url 127.0.0.1:1 2>&-", 3),
        ("providers >&-", 0),
        ("providers <&- >&- 2>&-", 0),
        ("serve --workers 0 2>&-", 2),
    ],
)
def test_the_exit_code_does_not_depend_on_the_streams(
    command: str, code: int, gateway: FakeGateway
) -> None:
    assert run(command, HEADWAY_URL=gateway.url).returncode == code


@pytest.mark.parametrize("streams", ["<&- >&- 2>&-", "2>/dev/full", ">/dev/full"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_runs_without_its_standard_streams(streams: str, workers: str) -> None:
    port = free_port()
    arguments = f"--port {port} --workers {workers}"
    command = f"exec {HEADWAY} serve {arguments} {streams}"
    process = subprocess.Popen(["/bin/sh", "-c", command])
    try:
        health = (
            "from headway.cli.first_call import wait_until_healthy; from headway import Client; "
            f"wait_until_healthy(Client('127.0.0.1:{port}'))"
        )
        subprocess.run([sys.executable, "-c", health], check=True, timeout=PATIENCE_S)
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0

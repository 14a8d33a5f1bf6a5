"""The command line against the gateway that it starts itself, with the echo provider."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from typer.testing import CliRunner

from headway.cli.app import app
from headway.cli.gateway_process import gateway


def test_the_command_line_works_with_a_real_gateway(tmp_path: Path) -> None:
    (tmp_path / "headway.yaml").write_text("ledger: {url: 'sqlite:///log.db'}\n")
    command = [sys.executable, "-m", "headway", "serve", "--port", "0"]
    with gateway(command, os.environ) as process:
        run = CliRunner(env={"HEADWAY_URL": process.url(30)}).invoke
        streamed = run(app, ["chat", "-m", "echo/echo", "Hello! Who are you?"])
        whole = run(app, ["chat", "-m", "echo/echo", "--json", "-c", "Again"])
        models = run(app, ["models"])
        providers = run(app, ["providers"])
        unknown = run(app, ["chat", "-m", "nobody/m", "Hi"])
        wrong = run(app, ["chat", "-m", "echo/echo", "-p", "temperature=9", "Hi"])
    assert (streamed.exit_code, streamed.stdout) == (0, "Hello! Who are you?\n")
    assert streamed.stderr.startswith("echo/echo · ")
    assert len(json.loads(whole.stdout)["context"]) == 3
    assert "echo/echo\t\t\t\tEcho\n" in models.stdout
    assert {line.split("\t")[0] for line in providers.stdout.splitlines()} >= {"echo", "local"}
    assert unknown.exit_code == wrong.exit_code == 1
    assert "HTTP 404 · not_found_error" in unknown.stderr
    assert "HTTP 422 · invalid_request_error · field temperature" in wrong.stderr
    assert process.returncode == 0

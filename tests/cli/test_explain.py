from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from headway.cli import explain as command
from headway.cli.app import app
from headway.cli.gateway_process import gateway
from headway.routing.plan import MEAN_OUTPUT_TOKENS
from support.for_each import for_each
from support.waiting import PATIENCE_S

CONFIG = """
providers:
  openai: {api_key: sk-never-sent, base_url: "http://127.0.0.1:9/v1"}
  gone: {kind: openai, base_url: "http://127.0.0.1:9/v1"}
prices:
  echo: {echo: {input: 1, output: 2}}
models:
  smart:
    targets:
      - {model: openai/gpt-4o, when: {tags: vip}}
      - {model: echo/echo, weight: 2}
      - gone/m
    strategy: ordered
    shadow: {model: gone/copy, share: 10%}
    on_context_window: [gone/long]
"""
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("explained")
    (folder / "headway.yaml").write_text(CONFIG)
    environ = {**os.environ, "XDG_STATE_HOME": str(folder)}
    serve = [sys.executable, "-m", "headway", "serve", "--port", "0"]
    serve += ["--config", str(folder / "headway.yaml")]
    with gateway(serve, environ) as process:
        yield process.url(PATIENCE_S)


@pytest.fixture
def run(url: str) -> Run:
    def run(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(app, ["explain", "--url", url, *arguments], input=stdin)

    return run


def rows(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.stderr
    return [line.split("\t") for line in result.stdout.splitlines()]


def test_a_route_is_listed_target_by_target(run: Run) -> None:
    found = rows(run("smart", "Two words"))
    assert [row[:2] for row in found] == [
        ["", "openai/gpt-4o"],
        ["1", "echo/echo"],
        ["2", "gone/m"],
        ["", "gone/long"],
        ["", "gone/copy"],
    ]
    assert [row[-1] for row in found] == [
        "is for requests with: tags vip",
        "is sent it",
        "follows where that fails",
        "follows where the prompt is too long",
        "gets a copy of 10% of requests",
    ]
    assert found[1][2].startswith("$0.001")
    assert found[2][2] == "unknown"


def test_headers_and_fields_are_those_of_the_request(run: Run) -> None:
    found = rows(run("smart", "-H", "x-headway-tags: vip", "-p", "max_tokens=1"))
    assert [row[0] for row in found] == ["1", "2", "3", "", ""]
    assert found[1][2] == "$0.000014"


def test_json_is_what_the_gateway_says(run: Run) -> None:
    found = json.loads(run("smart", "--json").stdout)
    assert (found["route"], found["order"]) == ("smart", ["echo/echo", "gone/m"])


def test_a_file_may_have_the_request_in_any_format(run: Run, tmp_path: Path) -> None:
    body = {"model": "smart", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}
    path = tmp_path / "request.json"
    path.write_text(json.dumps(body))
    for result in (
        run("-f", str(path), "--dialect", "messages", "--json"),
        run("-f", "-", "--dialect", "messages", "--json", stdin=json.dumps(body)),
        run("smart", "-f", str(path), "--dialect", "messages", "--json"),
    ):
        found = json.loads(result.stdout)
        assert found["request"]["dialect"] == "anthropic_messages"
        assert found["request"]["max_output_tokens"] == 5
    assert rows(run("echo/echo", "-f", str(path)))[0][:2] == ["1", "echo/echo"]


WRONG: list[tuple[list[str], str, str]] = [
    ([], "", "a model is needed"),
    (["m", "-H", "x-team"], "", "not a header: x-team"),
    (["m", "-p", "x"], "", "not a parameter: x"),
    (["-f", "no-such.json"], "", "no-such.json cannot be read: No such file or directory"),
    (["-f", "-"], "[1]", "- is no JSON object"),
    (["-f", "-"], "{", "- is no JSON object"),
]


@for_each(("arguments", "stdin", "message"), WRONG)
def test_a_wrong_command_says_what_is_wrong(
    url: str, arguments: list[str], stdin: str, message: str
) -> None:
    result = CliRunner().invoke(app, ["explain", "--url", url, *arguments], input=stdin)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_request_that_would_be_refused_is_refused(run: Run) -> None:
    result = run("nobody/m")
    assert result.exit_code == 1
    assert "No provider is called 'nobody'" in result.stderr


def test_a_terminal_shows_more(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def write(lines: Any) -> None:
        shown.extend("".join(text for text, _ in line) for line in lines)

    monkeypatch.setattr(command.terminal, "is_terminal", lambda: True)
    monkeypatch.setattr(command.terminal, "write_lines", write)
    parts = (
        '[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://x/y.png"}}]}]'
    )
    arguments = ["explain", "--url", url, "smart", "-p", f"messages={parts}"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert shown[0].startswith("smart, ordered: ")
    assert "needs images" in shown[0]
    assert "Estimates without a known mean are for 500 tokens of output." in shown
    shown.clear()
    arguments = ["explain", "--url", url, "openai/gpt-4o", "-p", 'provider={"only":["x"]}']
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert shown[-1].startswith("No target can take this request. openai/gpt-4o is not in ")


def test_what_is_assumed_is_what_the_gateway_assumes() -> None:
    assert command.ASSUMED == MEAN_OUTPUT_TOKENS

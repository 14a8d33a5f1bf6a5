from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from cli.fake_gateway import DETAILS, MODELS, FakeGateway, error

Run = Callable[..., Result]


def test_models_in_a_pipe_are_lines_that_chat_takes(run: Run) -> None:
    assert run("models").stdout.splitlines() == [
        "openai/gpt-4o\t\t\t\tOpenAI",
        "openai/gpt-4o-mini\t\t\t\tOpenAI",
        "local/smollm2-135m-instruct\t\t\t\tLocal",
    ]


def test_models_have_their_context_windows_and_prices(run: Run, gateway: FakeGateway) -> None:
    known = {"context_window": 128000, "prices": {"input": 2.5, "output": 10.0}}
    listed = {"context_window": None, "listed_prices": {"input": 0.00000015, "output": 0}}
    details = {"gpt-4o": known, "gpt-4o-mini": listed}
    gateway.models = {"openai": {**MODELS["openai"], "details": details}}
    assert run("models").stdout.splitlines() == [
        "openai/gpt-4o\t128000\t2.5\t10\tOpenAI",
        "openai/gpt-4o-mini\t\t0.00000015\t0\tOpenAI",
    ]


def test_live_asks_for_the_providers_own_lists_and_says_which_failed(
    run: Run, gateway: FakeGateway
) -> None:
    refused = {"message": "Incorrect API key provided", "type": "authentication_error"}
    gateway.models = {"openai": {"name": "OpenAI", "models": [], "error": refused}}
    result = run("models", "openai", "--live")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "openai: Incorrect API key provided\n"
    assert gateway.requests[0].path == "/api/engine/models?provider=openai&live=1"


@pytest.mark.parametrize(
    ("options", "reason"),
    [([], "--live asks the provider for its list"), (["--live"], "no provider lists a model")],
)
def test_an_empty_list_says_why(
    options: list[str], reason: str, run: Run, gateway: FakeGateway
) -> None:
    gateway.models = {"local": {"name": "Local", "models": []}}
    result = run("models", "local", *options)
    assert (result.exit_code, result.stdout) == (0, "")
    assert reason in result.stderr


def test_models_of_one_provider(run: Run, gateway: FakeGateway) -> None:
    assert run("models", "local").stdout == "local/smollm2-135m-instruct\t\t\t\tLocal\n"
    assert gateway.requests[0].path == "/api/engine/models?provider=local"


def test_providers_in_a_pipe_are_lines(run: Run, gateway: FakeGateway) -> None:
    gateway.models = {"openai": MODELS["openai"]}
    assert run("providers").stdout == "openai\tOpenAI\t2\tyes\nlocal\tLocal\t\t\n"
    assert [request.path for request in gateway.requests] == [
        "/api/engine/providers?details=1",
        "/api/engine/models",
    ]


@pytest.mark.parametrize(
    ("has_key", "variable", "cell"),
    [
        (True, "A_KEY", "yes"),
        (False, "A_KEY", "no: set A_KEY"),
        (False, None, "no"),
        (None, "A_KEY", ""),
        (None, None, ""),
    ],
)
def test_providers_say_which_have_a_key(
    has_key: bool | None, variable: str | None, cell: str, run: Run, gateway: FakeGateway
) -> None:
    one = {"name": "A", "kind": "a", "has_key": has_key, "key_variable": variable}
    gateway.details = {"a": one}
    gateway.models = {}
    assert run("providers").stdout == f"a\tA\t\t{cell}\n"


def test_all_asks_for_what_needs_a_key_of_ones_own_too(run: Run, gateway: FakeGateway) -> None:
    assert run("providers", "--all").exit_code == 0
    assert run("models", "--all", "--live").exit_code == 0
    assert [request.path for request in gateway.requests] == [
        "/api/engine/providers?all=1&details=1",
        "/api/engine/models?all=1",
        "/api/engine/models?live=1&all=1",
    ]


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (["models"], MODELS),
        (["models", "local"], {"local": MODELS["local"]}),
        (["providers"], DETAILS),
    ],
)
def test_json_prints_the_gateways_reply(arguments: list[str], value: Any, run: Run) -> None:
    assert json.loads(run(*arguments, "--json").stdout) == value


@pytest.mark.parametrize("command", ["models", "providers"])
def test_errors_are_reported(command: str, run: Run, gateway: FakeGateway) -> None:
    gateway.refuse(401, error("a key is wanted: set HEADWAY_API_KEY", type="authentication_error"))
    result = run(command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: a key is wanted: set HEADWAY_API_KEY\n")
    assert run(command, "--url", "127.0.0.1:1").exit_code == 3


def test_a_terminal_gets_a_table(in_terminal: Callable[..., Any], gateway: FakeGateway) -> None:
    gateway.models = {"openai": {"name": "Open\x1b[7mAI", "models": ["gpt-4o", "[bold]m"]}}
    output, code = in_terminal("models", NO_COLOR="1", TERM="dumb").rest()
    assert code == 0
    lines = [line.split() for line in output.splitlines() if line.strip()]
    assert lines[0] == ["Model", "Context", "Input", "$/M", "Output", "$/M", "Provider"]
    assert lines[2:4] == [["openai/gpt-4o", "Open␛[7mAI"], ["openai/[bold]m", "Open␛[7mAI"]]
    assert "--all lists what needs a key of your own" in output
    output, code = in_terminal("models", "--all", NO_COLOR="1", TERM="dumb").rest()
    assert (code, "--all" in output) == (0, False)


def test_a_terminal_gets_coloured_json_with_unchanged_numbers(
    in_terminal: Callable[..., Any],
) -> None:
    output, code = in_terminal("chat", "--json", "Hi").rest()
    assert code == 0
    assert "\x1b[1;36m0.000061\x1b[0m" in output


def test_the_version_is_printed_without_importing_the_server() -> None:
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(sorted({name.partition('.')[0] for name in sys.modules})))\n"
        "sys.argv[1:] = ['--version']\n"
        "from headway.cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    version, loaded = done.stdout.splitlines()
    assert version.startswith("headway 0.")
    for heavy in ("asyncio", "uvicorn", "fastapi", "pydantic", "rich", "yaml", "tiktoken"):
        assert f"'{heavy}'" not in loaded

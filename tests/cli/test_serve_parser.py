"""``headway serve`` is read without Typer where it can be, and then as Typer reads it."""

from __future__ import annotations

import gc
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from headway import cli
from headway.cli import errors, serve_options, serve_parser
from headway.cli.app import app
from headway.cli.serve_options import OPTIONS, Option, ServeArguments
from support.raw_client import Client
from support.waiting import PATIENCE_S

SAMPLES: dict[type, tuple[str, ...]] = {
    int: ("0", "1", "8000", "080", "65535"),
    str: ("127.0.0.1", "::1", "a=b", "with space", "höst"),
    Path: ("headway.yaml", "./a/../b.yaml", "/etc/headway/", "~/x", "$HOME/x", "name=x"),
}
ODD = ("", "-", "--", "-1", "+1", "1_0", " 1", "65536", "99999999999", "1.0", "٣", "x", "\x1b", "=")
FLAGS = [option.flag for option in OPTIONS.values()]


@pytest.fixture
def typer_reads(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ServeArguments | None]:
    """What Typer makes of ``headway ARGUMENTS``; None: nothing that would serve."""
    seen: list[ServeArguments] = []

    def serve(asked: ServeArguments) -> int:
        seen.append(asked)
        return 0

    monkeypatch.setattr(serve_options, "serve", serve)

    def read(*arguments: str) -> ServeArguments | None:
        seen.clear()
        CliRunner().invoke(app, list(arguments))
        return seen[0] if seen else None

    return read


def samples(option: Option) -> list[list[str]]:
    """Ways to give it."""
    if option.metavar is None:
        return [[option.flag], [option.flag, option.flag]]
    within = [text for text in SAMPLES[option.type] if not (option.low and text == "0")]
    separate = [[option.flag, text] for text in within]
    joined = [[f"{option.flag}={text}"] for text in within]
    return [*separate, *joined, [*separate[0], *separate[1]]]


@pytest.mark.parametrize("name", OPTIONS)
def test_both_read_every_option_alike(
    name: str, typer_reads: Callable[..., ServeArguments | None]
) -> None:
    for arguments in samples(OPTIONS[name]):
        asked = serve_parser.parse(["serve", *arguments], {})
        assert asked is not None, arguments
        assert asked == typer_reads("serve", *arguments)
        value = getattr(asked, name)
        assert value is not None
        assert value is not False
        assert type(value) is type(getattr(typer_reads("serve", *arguments), name))


def test_both_have_the_same_options_and_limits() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    (serve,) = [one for name, one in group.commands.items() if name == serve_options.COMMAND]
    assert {one.name: one.opts for one in serve.params} == {
        name: [option.flag] for name, option in OPTIONS.items()
    }
    assert tuple(OPTIONS) == ServeArguments.__struct_fields__


def test_without_options_it_is_read_too(typer_reads: Callable[..., ServeArguments | None]) -> None:
    assert serve_parser.parse(["serve"], {}) == typer_reads("serve") == ServeArguments()


WORDS = st.sampled_from(
    [
        *FLAGS,
        *ODD,
        *(text for texts in SAMPLES.values() for text in texts),
        "--help",
        "--por",
        "--no-insecure",
        "--insecure=true",
        "serve",
    ]
)
JOINED = st.builds("{}={}".format, st.sampled_from(FLAGS), WORDS)


@example(["--port=٣"])
@given(st.lists(WORDS | JOINED, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_typer_parses_the_same_arguments_alike(
    typer_reads: Callable[..., ServeArguments | None], arguments: list[str]
) -> None:
    asked = serve_parser.parse(["serve", *arguments], {})
    assert asked is None or asked == typer_reads("serve", *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--help",),
        ("--version",),
        ("models",),
        ("--debug", "serve"),
        ("serve", "--help"),
        ("serve", "-h"),
        ("serve", "--prot", "1"),
        ("serve", "--port"),
        ("serve", "--port="),
        ("serve", "--port", "--insecure"),
        ("serve", "--port", "x"),
        ("serve", "--port", "65536"),
        ("serve", "--port", "-1"),
        ("serve", "--workers", "0"),
        ("serve", "--insecure=yes"),
        ("serve", "--config", ""),
        ("serve", "--host", "a\nb"),
        ("serve", "8000"),
        ("serve", "--"),
    ],
)
def test_other_arguments_are_left_to_typer(arguments: tuple[str, ...]) -> None:
    assert serve_parser.parse(arguments, {}) is None


@pytest.mark.parametrize("name", ["HEADWAY_DEBUG", "_HEADWAY_COMPLETE"])
def test_with_a_variable_that_changes_every_command_typer_parses(name: str) -> None:
    assert serve_parser.parse(["serve"], {name: "1"}) is None
    assert serve_parser.parse(["serve"], {name: ""}) == ServeArguments()


# --- How it ends --------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    """The command line leaves it to the server to look for garbage again."""
    yield
    gc.enable()


def ends(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int | str | None:
    """``headway serve`` where serving ends in ``error``: its exit code."""

    def serve(asked: ServeArguments) -> NoReturn:
        raise error

    monkeypatch.setattr(serve_options, "serve", serve)
    monkeypatch.setattr(sys, "argv", ["headway", "serve"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (errors.usage_error("wrong", "mend it"), 2, "error: wrong\nhint:  mend it\n"),
        (KeyboardInterrupt(), 130, ""),
        (
            ValueError("odd"),
            1,
            "error: unexpected ValueError: odd\nhint:  HEADWAY_DEBUG=1 shows where\n",
        ),
    ],
)
def test_errors_are_reported_like_those_of_every_command(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ends(monkeypatch, error) == code
    assert capsys.readouterr().err == said


def test_the_servers_exit_code_is_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_options, "serve", lambda asked: 7)
    monkeypatch.setattr(sys, "argv", ["headway", "serve", "--insecure"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 7


# --- What it takes ------------------------------------------------------------------------------

PROGRAM = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules))))
sys.argv = ["headway", "serve", "--config", "headway.yaml", "--port", "0"]
from headway.cli import main
main()
"""
SPARED = {
    "typer", "rich", "pydantic", "fastapi", "starlette", "tiktoken", "regex", "requests",
    "http.client", "zipfile", "click", "multiprocessing", "uvicorn.main", "headway.sdk",
    "headway.providers.echo", "headway.ledger.export", "headway.server.api.ledger_routes",
    "headway.server.openapi.docs", "headway.server.openapi.schemas.engine",
}  # fmt: skip


def loaded_by_a_server(config: Any) -> set[str]:
    Path("headway.yaml").write_text(json.dumps(config))
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    port = process.stderr.readline().strip().rpartition(":")[2]
    assert Client("127.0.0.1", int(port)).get("/health").status == 200
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (0, "")
    return set(json.loads(out))


def test_a_server_imports_only_what_it_needs() -> None:
    provider = {"kind": "anthropic", "base_url": "http://127.0.0.1:1", "api_key": "k"}
    loaded = loaded_by_a_server({"providers": {"anthropic": provider}})
    assert sorted(SPARED & loaded) == []
    assert "headway.providers.anthropic.provider" in loaded
    assert not {"headway.providers.gemini.provider", "headway.providers.bedrock.provider"} & loaded

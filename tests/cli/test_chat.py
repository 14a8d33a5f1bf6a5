"""``headway chat``: what it asks, what it prints where, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from cli.fake_gateway import LINE, OUTPUT, FakeGateway, chunk, error, last, sample
from support.waiting import PATIENCE_S

Run = Callable[..., Result]
LOCAL = "local/smollm2-135m-instruct"
HELLO = "Hello! Who are you?"


def test_the_reply_goes_to_stdout_and_its_metrics_to_stderr(run: Run) -> None:
    result = run("chat", HELLO)
    assert (result.exit_code, result.stdout) == (0, OUTPUT + "\n")
    assert result.stderr == f"{LOCAL} · {LINE}\n"


def test_a_prompt_without_options_is_sent_with_the_gateways_defaults(
    run: Run, gateway: FakeGateway
) -> None:
    run("chat", HELLO)
    assert gateway.asked == {
        "model": "smollm2-135m-instruct",
        "chat_input": HELLO,
        "is_stream": True,
    }
    assert gateway.requests[0].path == "/api/engine/chat/local"


@pytest.mark.parametrize(
    ("arguments", "stdin", "asked"),
    [
        (["Hi"], "", "Hi"),
        (["Hi"], " \n", "Hi"),
        (["Summarise:"], "the notes\n", "Summarise:\n\nthe notes"),
        ([], "the notes\n", "the notes"),
        (["-"], "the notes", "the notes"),
        (["Hi"], b"caf\xc3\xa9 \xff", "Hi\n\ncafé \ufffd"),
        (["caf\udce9"], "", "caf\ufffd"),
    ],
)
def test_the_prompt_comes_from_the_argument_stdin_or_both(
    arguments: list[str], stdin: str | bytes, asked: str, run: Run, gateway: FakeGateway
) -> None:
    assert run("chat", *arguments, stdin=stdin).exit_code == 0
    assert gateway.asked["chat_input"] == asked


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("max_tokens=50", 50),
        ("temperature=0.2", 0.2),
        ('stop=["a","b"]', ["a", "b"]),
        ("stop=END", "END"),
        ('response_format={"type":"json_object"}', {"type": "json_object"}),
        ("seed=null", None),
        ("user=a=b", "a=b"),
        ("user=", ""),
        ("user=caf\udce9", "caf\ufffd"),
        ("user=" + "[" * 5000, "[" * 5000),
    ],
)
def test_parameters_are_json_or_else_text(
    text: str, value: Any, run: Run, gateway: FakeGateway
) -> None:
    assert run("chat", "-p", text, "--param", "n=1", "Hi").exit_code == 0
    assert gateway.asked["parameters"] == {text.partition("=")[0]: value, "n": 1}


def test_a_system_message_comes_first(run: Run, gateway: FakeGateway) -> None:
    run("chat", "-s", "Be brief.", "Hi")
    assert gateway.asked["chat_input"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]


def test_the_model_comes_from_the_option_or_the_environment(
    run: Run, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_MODEL", "openai/gpt-4o")
    assert run("chat", "Hi").stderr.startswith("openai/gpt-4o · ")
    assert run("chat", "-m", "echo/a/b", "Hi").stderr.startswith("echo/a/b · ")
    assert [request.path.rpartition("/")[2] for request in gateway.requests] == ["openai", "echo"]


def test_the_gateways_key_is_sent(
    run: Run, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_API_KEY", "hw-1")
    run("chat", "Hi")
    assert gateway.requests[0].headers["authorization"] == "Bearer hw-1"


def test_json_prints_the_complete_reply_as_received(run: Run, gateway: FakeGateway) -> None:
    result = run("chat", "--json", HELLO)
    asked = {"model": "smollm2-135m-instruct", "chat_input": HELLO}
    assert json.loads(result.stdout) == json.loads(sample("local", asked))
    assert '"cost_usd": 0.000061,' in result.stdout
    assert result.stderr == ""
    assert gateway.asked["is_stream"] is False


def test_an_unknown_cost_is_printed_as_unknown(run: Run, gateway: FakeGateway) -> None:
    gateway.stream = [chunk("a"), last("a", cost_usd=None)]
    assert "· cost unknown ·" in run("chat", "Hi").stderr


def test_a_tool_call_prints_its_arguments_once(run: Run, gateway: FakeGateway) -> None:
    gateway.stream = [chunk(None), last('{"city": "Oslo"}', finish="tool_calls")]
    result = run("chat", "Hi")
    assert result.stdout == '{"city": "Oslo"}\n'
    assert result.stderr.endswith("· finish tool_calls\n")


def test_an_empty_output_prints_nothing(run: Run, gateway: FakeGateway) -> None:
    gateway.stream = [last("", finish="length")]
    result = run("chat", "Hi")
    assert (result.exit_code, result.stdout) == (0, "")


# --- Conversations ------------------------------------------------------------------------------


def test_continue_goes_on_with_the_last_conversation(run: Run, gateway: FakeGateway) -> None:
    run("chat", "-m", "openai/gpt-4o", "-s", "Be brief.", "One")
    run("chat", "-c", "Two")
    said = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": OUTPUT},
        {"role": "user", "content": "Two"},
    ]
    assert gateway.asked["chat_input"] == said
    assert gateway.requests[-1].path == "/api/engine/chat/openai"
    run("chat", "--continue", "--json", "-m", "echo/m", "-s", "Be long.", "Three")
    assert gateway.asked["chat_input"] == [
        {"role": "system", "content": "Be long."},
        *said[1:],
        {"role": "assistant", "content": OUTPUT},
        {"role": "user", "content": "Three"},
    ]
    assert gateway.asked["model"] == "m"


def test_a_conversations_model_wins_over_the_environments(
    run: Run, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("chat", "-m", "openai/gpt-4o", "One")
    monkeypatch.setenv("HEADWAY_MODEL", "echo/m")
    run("chat", "-c", "Two")
    assert gateway.asked["model"] == "gpt-4o"


def test_a_conversation_is_one_file_that_only_its_owner_reads(run: Run, tmp_path: Path) -> None:
    run("chat", "One")
    run("chat", "-c", "Two")
    folder = tmp_path / "state" / "headway" / "chats"
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [message["content"] for message in json.loads(file.read_bytes())["messages"]] == [
        "One",
        OUTPUT,
        "Two",
        OUTPUT,
    ]


@pytest.mark.parametrize("arguments", [["--no-save", "Hi"], ["-m", "x", "Hi"]])
def test_no_conversation_is_saved_without_consent_or_reply(
    arguments: list[str], run: Run, tmp_path: Path
) -> None:
    run("chat", *arguments)
    assert not (tmp_path / "state").exists()


def test_a_tool_call_is_not_saved_as_text(run: Run, gateway: FakeGateway, tmp_path: Path) -> None:
    gateway.stream = [last("{}", finish="tool_calls")]
    run("chat", "Hi")
    assert not (tmp_path / "state").exists()


def test_continue_without_a_conversation_is_a_usage_error(run: Run, gateway: FakeGateway) -> None:
    result = run("chat", "-c", "Hi")
    assert result.exit_code == 2
    assert "no conversation" in result.stderr
    assert gateway.requests == []


def test_a_broken_conversation_is_named(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "headway" / "chats"
    folder.mkdir(parents=True)
    (folder / "1.json").write_text("{")
    result = run("chat", "-c", "Hi")
    assert result.exit_code == 2
    assert str(folder / "1.json") in result.stderr


def test_a_reply_that_cannot_be_saved_is_printed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    result = run("chat", "Hi")
    assert (result.exit_code, result.stdout) == (0, OUTPUT + "\n")
    assert "not saved" in result.stderr


# --- What goes wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chat"], "there is no prompt"),
        (["chat", " "], "there is no prompt"),
        (["chat", "-p", "temperature", "Hi"], "key=value"),
        (["chat", "-p", "=1", "Hi"], "key=value"),
        (["chat", "--url", "ftp://a", "Hi"], "not the URL"),
        (["chat", "--api-key", "a\nb", "Hi"], "key"),
        (["chat", "--jsno", "Hi"], "No such option: --jsno"),
        (["chta", "Hi"], "Did you mean 'chat'?"),
        (["--nonsense"], "No such option: --nonsense"),
    ],
)
def test_a_usage_error_is_a_message_and_exit_code_2(
    arguments: list[str], said: str, run: Run, gateway: FakeGateway
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert gateway.requests == []


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("gpt-4o", "did you mean openai/gpt-4o? `headway models` lists them all"),
        ("gpt-4oo", "did you mean openai/gpt-4o or openai/gpt-4o-mini? `headway models` lists"),
        ("smollm2", "`headway models` lists them"),
        ("", "`headway models` lists them"),
        ("openai/", "`headway models` lists them"),
    ],
)
def test_a_model_without_a_provider_gets_a_suggestion(model: str, hint: str, run: Run) -> None:
    result = run("chat", "-m", model, "Hi")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "error: model must be named provider/model" in result.stderr
    assert f"hint:  {hint}" in result.stderr


def test_without_a_gateway_a_model_without_a_provider_is_refused_all_the_same(run: Run) -> None:
    for url in ("http://127.0.0.1:1", "ftp://a"):
        result = run("chat", "-m", "gpt-4o", "Hi", "--url", url)
        assert result.exit_code == 2
        assert "hint:  `headway models` lists them\n" in result.stderr


def test_without_a_gateway_the_error_says_how_to_start_one(run: Run) -> None:
    result = run("chat", "--url", "http://127.0.0.1:1", "Hi")
    assert result.exit_code == 3
    assert result.stderr == (
        "error: no gateway answers at http://127.0.0.1:1 (Connection refused)\n"
        "hint:  start one with `headway serve` in another terminal,\n"
        "       or name a running one with --url or HEADWAY_URL\n"
    )


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_an_error_of_the_gateway_is_shown_and_exits_1(
    flags: list[str], run: Run, gateway: FakeGateway
) -> None:
    gateway.refuse(
        429,
        error(
            "Rate limit reached",
            type="rate_limit_error",
            provider="openai",
            code="rpm",
            param="n",
            request_id="r-1",
            retry_after_s=12.0,
        ),
    )
    result = run("chat", *flags, "-m", "openai/gpt-4o", "Hi")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "error: Rate limit reached\n"
        "       openai · HTTP 429 · rate_limit_error · rpm · field n · retry in 12 s"
        " · request r-1\n"
    )


def test_a_reply_that_breaks_off_ends_its_line_and_exits_1(
    run: Run, gateway: FakeGateway, tmp_path: Path
) -> None:
    gateway.stream = [chunk("Hel"), error("the provider stopped", type="truncated_stream")]
    result = run("chat", "Hi")
    assert (result.exit_code, result.stdout) == (1, "Hel\n")
    assert result.stderr == "error: the provider stopped\n       truncated_stream\n"
    assert not (tmp_path / "state").exists()


def test_an_unexpected_error_is_one_line_without_debug(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: object) -> str:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("headway.cli.chat.read_prompt", fail)
    result = run("chat", "Hi")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: unexpected ZeroDivisionError: by zero\nhint:  HEADWAY_DEBUG=1 shows where\n"
    )
    assert isinstance(run("--debug", "chat", "Hi").exception, ZeroDivisionError)
    monkeypatch.setenv("HEADWAY_DEBUG", "1")
    assert isinstance(run("chat", "Hi").exception, ZeroDivisionError)


# --- In a process of its own: pipes, signals, terminals -----------------------------------------


def test_ctrl_c_ends_the_reply_and_the_call_and_exits_130(
    gateway: FakeGateway, in_terminal: Callable[..., Any]
) -> None:
    left = threading.Event()

    def wait() -> None:
        assert left.wait(PATIENCE_S)

    gateway.stream = [chunk("Once upon"), wait, *([chunk("x" * 10_000)] * 2000)]
    terminal = in_terminal("chat", "Tell me a story")
    terminal.until("Once upon")
    terminal.interrupt()
    output, code = terminal.rest()
    left.set()
    assert code == 130
    assert output.endswith("Once upon\n")
    assert gateway.gone.wait(PATIENCE_S)


@pytest.mark.parametrize("command", [["chat", "Hi"], ["models"]])
def test_a_reader_that_leaves_is_no_error(command: list[str], gateway: FakeGateway) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "headway", *command],
        stdin=subprocess.DEVNULL,
        stdout=write,
        stderr=subprocess.PIPE,
        env={**os.environ, "HEADWAY_URL": gateway.url},
        check=False,
    )
    os.close(write)
    assert done.stderr == b""
    assert done.returncode == 128 + signal.SIGPIPE


def test_a_models_control_characters_do_not_reach_the_terminal(
    gateway: FakeGateway, in_terminal: Callable[..., Any]
) -> None:
    evil = "a\x1b]0;owned\x07b\x9bc\r\nd\te"
    gateway.stream = [chunk(evil), last(evil)]
    output, code = in_terminal("chat", "Hi").rest()
    assert code == 0
    assert "a␛]0;owned␇b\ufffdc\nd" in output
    assert "\x1b]0;" not in output
    assert f"\x1b[2m{LOCAL} · {LINE}\x1b[0m\n" in output


def test_a_reply_in_a_pipe_is_unchanged(run: Run, gateway: FakeGateway) -> None:
    gateway.stream = [chunk("\x1b[1m\r\n"), last("\x1b[1m\r\n")]
    assert run("chat", "Hi").stdout_bytes == b"\x1b[1m\r\n"


def test_no_color_is_respected(in_terminal: Callable[..., Any]) -> None:
    output, _ = in_terminal("chat", "-p", "x", "Hi", NO_COLOR="1").rest()
    assert "error: not a parameter: x" in output.replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert "\x1b[31m" not in output
    assert "\x1b[1;31m" not in output


def test_json_without_a_prompt_is_refused_on_a_terminal(in_terminal: Callable[..., Any]) -> None:
    output, code = in_terminal("chat", "--json").rest()
    assert code == 2
    assert "there is no prompt" in output


def test_characters_that_the_terminals_encoding_lacks_are_replaced(gateway: FakeGateway) -> None:
    gateway.stream = [chunk("né\u4e16"), last("né\u4e16")]
    done = subprocess.run(
        [sys.executable, "-m", "headway", "chat", "--no-save", "Hi"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, "HEADWAY_URL": gateway.url, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"n??\n")

"""``headway compare`` against a real gateway with the echo provider."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.conftest import Terminal
from headway.cli.app import app
from support.gateway_process import Gateway
from support.waiting import until

PRICES = {"echo": {"swift": {"input": 1, "output": 4}, "slow": {"input": 2, "output": 8}}}
CONFIG = {"providers": {"echo": {"kind": "echo"}}, "prices": PRICES}
NUMBERS = ("TTFT", "Gap", "p95", "Tok/s", "Took", "In", "Out", "Cost", "1M")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    running = Gateway.start(tmp_path_factory.mktemp("compare"), CONFIG)
    yield running
    running.stop()


@pytest.fixture
def run(server: Gateway, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("HEADWAY_URL", server.base_url)

    def invoke(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(app, ["compare", *arguments], input=stdin)

    return invoke


def scripted(model: str, **script: Any) -> str:
    return json.dumps({"model": f"echo/{model}", "echo": script})


def test_a_pipe_gets_the_answers_one_after_another_and_the_table(
    run: Callable[..., Result],
) -> None:
    result = run(
        *("-m", scripted("slow", text="A slow answer", first_token=0.2)),
        *("-m", scripted("swift", text="A swift\nanswer")),
        *("-m", "nobody/model", "Hello there"),
    )
    assert result.exit_code == 0
    blocks, _, table = result.stdout.partition("\nModel ")
    assert blocks.startswith(
        "## echo/slow\n\nA slow answer\n\n## echo/swift\n\nA swift\nanswer\n\n"
        "## nobody/model\n\nerror: No provider is called 'nobody'"
    )
    assert "(HTTP 404, not_found_error)" in blocks
    header, slow, swift, nobody = table.splitlines()
    assert header.split() == ["TTFT", "Gap", "p50", "p95", "Tok/s", "Took", "In", "Out", "Cost",
                              "1M", "calls"]  # fmt: skip
    assert slow.split()[0] == "echo/slow"
    assert swift.split()[-2:] == ["$0.000014*", "$14.00*"]
    assert slow.split()[-2:] == ["$0.000028", "$28.00"]
    assert swift.count("*") >= 5
    assert nobody.split() == ["nobody/model", "failed"]
    assert "headway logs --tag compare:" in result.stderr


def test_options_are_sent_with_the_request(
    run: Callable[..., Result], server: Gateway, tmp_path: Path
) -> None:
    server.mark()
    file = tmp_path / "prompt.txt"
    file.write_text("from a file\n")
    result = run(
        *("-m", "echo/a", "-f", str(file), "-s", "Be brief.", "--temperature", "0.5"),
        *("--max-tokens", "9", "-p", 'echo={"text":"Hi"}', "-n", "2", "--json", "Text"),
    )
    events = [json.loads(line) for line in result.stdout.splitlines()]
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["start", "start"]
    assert kinds[-1] == "end"
    assert [event["run"] for event in events[:2]] == [0, 1]
    record = server.new_records()[0]
    assert record["parameters"] == {"temperature": 0.5, "max_tokens": 9}
    assert events[-2]["metrics"]["input_tokens"] == 6


def test_the_prompt_comes_from_stdin_too(run: Callable[..., Result]) -> None:
    for arguments, stdin, said in (
        (("Say",), "this", "Say\n\nthis"),
        (("-",), "only this", "only this"),
        ((), "only this", "only this"),
    ):
        result = run("-m", "echo/a", *arguments, stdin=stdin)
        assert result.stdout.startswith(f"## echo/a\n\n{said}\n\n"), result.output


def test_models_of_the_same_name_are_told_apart(run: Callable[..., Result]) -> None:
    cool, warm = ({"model": "echo/a", "temperature": value, "stop": []} for value in (0, 1.2))
    result = run("-m", json.dumps(cool), "-m", json.dumps(warm), "-m", "echo/b", "Hello")
    titles = [line for line in result.stdout.splitlines() if line.startswith("## ")]
    assert titles == ["## echo/a temperature=0", "## echo/a temperature=1.2", "## echo/b"]


def test_several_runs_are_summed_up(run: Callable[..., Result]) -> None:
    result = run("-m", "echo/swift", "-n", "3", "Hello")
    assert result.stdout.count("## echo/swift") == 3
    assert "## echo/swift (run 3)" in result.stdout
    assert result.stdout.splitlines()[-1].split()[0] == "most"


def test_what_is_wrong_is_said(run: Callable[..., Result], tmp_path: Path) -> None:
    for arguments, code, words in (
        (("Hello",), 2, "no model is named"),
        (("-m", "echo/a"), 2, "there is no prompt"),
        (("-m", "{", "Hello"), 2, "not a JSON object: {"),
        (("-m", "echo/a", "-f", str(tmp_path / "none")), 2, "cannot be read"),
        (("-m", "echo/a", "-n", "11", "Hello"), 1, "field runs"),
        (("-m", "echo/a", "--url", "http://127.0.0.1:1", "Hello"), 3, "no gateway answers"),
        (("-m", "echo/a", "--url", "ftp://x", "Hello"), 2, "not the URL of a gateway"),
    ):
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (code, ""), arguments
        assert words in result.stderr, result.stderr


def test_it_fails_where_no_model_answers(run: Callable[..., Result]) -> None:
    result = run("-m", "nobody/a", "-m", "nobody/b", "Hello")
    assert result.exit_code == 1
    assert result.stdout.count("error: No provider") == 2


def test_a_stream_that_breaks_off_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    start = {"type": "start", "lane": 0, "model": "a/b", "run": 0, "waits": False}
    event = json.dumps({**start, "comparison": "x", "at_ms": 0.1})
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
                connection.sendall(f"{head}data: {event}\n\n: keep-alive\n".encode())
                # The request may come in pieces, and closing with one unread would be a reset.
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        result = CliRunner().invoke(app, ["compare", "-m", "a/b", "--url", url, "Hello"])
        thread.join()
    assert result.exit_code == 1
    assert "the stream ended before its last event" in result.stderr
    assert result.stdout.splitlines()[-1].split() == ["a/b", "stopped"]


def test_a_terminal_shows_columns_while_they_stream(
    server: Gateway, in_terminal: Callable[..., Terminal]
) -> None:
    terminal = in_terminal(
        *("compare", "-m", scripted("slow", first_token=0.5, tokens_per_second=20)),
        *("-m", scripted("swift", text="Quick \x1b[31manswer"), "One two three four five six"),
        HEADWAY_URL=server.base_url,
    )
    live = terminal.until("Ctrl-C stops")
    assert "waiting" in live
    seen, code = terminal.rest()
    assert code == 0
    whole = seen[seen.rindex("echo/slow", 0, seen.index("TTFT")) :]
    assert "One two three four five six" in whole
    assert "Quick \u241b[31manswer" in whole
    assert "│" in whole
    assert all(number in whole for number in NUMBERS)


def test_ctrl_c_cancels_all_and_shows_what_has_arrived(
    server: Gateway, in_terminal: Callable[..., Terminal]
) -> None:
    server.mark()
    terminal = in_terminal(
        *("compare", "-m", scripted("slow", tokens_per_second=5)),
        *("-m", scripted("swift"), "One two three four five six seven eight nine ten"),
        HEADWAY_URL=server.base_url,
    )
    terminal.until("1 of 2 done")
    terminal.interrupt()
    seen, code = terminal.rest()
    assert code == 130
    assert "stopped" in seen[seen.index("TTFT") :]
    records = until(lambda: len(found := server.new_records()) == 2 and found)
    assert {record["outcome"] for record in records} == {"ok", "cancelled"}

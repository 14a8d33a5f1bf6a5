"""A conversation: with scripted lines and answers, and once on a real pseudo terminal."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.fake_gateway import FakeGateway, chunk, error, last
from headway.cli.chat_session import ChatSession
from headway.sdk import ApiError
from support.waiting import PATIENCE_S

Message = dict[str, Any]
Failure = type[BaseException]


class Conversation:
    """A session whose lines and answers are given."""

    def __init__(self, *lines: str | Failure, answers: list[str | Exception] | None = None) -> None:
        self._lines = list(lines)
        self._answers = answers
        self.prompts: list[str] = []
        self.asked: list[tuple[str, list[Message]]] = []
        self.saved: list[tuple[str, list[Message]]] = []
        self.session = ChatSession("p/m", [], self._ask, lambda *kept: self.saved.append(kept))
        self.session.run(self._read_line)

    @property
    def contents(self) -> list[list[str]]:
        return [[each["content"] for each in messages] for _, messages in self.asked]

    def _read_line(self, prompt: str) -> str:
        self.prompts.append(prompt)
        if not self._lines:
            raise EOFError
        line = self._lines.pop(0)
        if isinstance(line, str):
            return line
        raise line

    def _ask(self, model: str, messages: list[Message]) -> str:
        self.asked.append((model, messages))
        answer = f"a{len(self.asked)}" if self._answers is None else self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_each_question_has_the_earlier_ones_and_their_answers() -> None:
    done = Conversation("one", "", "  ", "two")
    assert done.contents == [["one"], ["one", "a1", "two"]]
    assert done.saved[-1] == (
        "p/m",
        [
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "a1"},
            {"role": "user", "content": "two"},
            {"role": "assistant", "content": "a2"},
        ],
    )


def test_another_model_answers_from_there_on(capsys: pytest.CaptureFixture[str]) -> None:
    done = Conversation("one", "/model q/n", "two", "/model", "/model wrong", "three")
    assert [model for model, _ in done.asked] == ["p/m", "q/n", "q/n"]
    stderr = capsys.readouterr().err
    assert stderr.count("model: q/n\n") == 2
    assert "error: model must be named provider/model" in stderr


def test_a_system_message_is_set_replaced_and_removed(capsys: pytest.CaptureFixture[str]) -> None:
    done = Conversation(
        "/system", "/system Be brief.", "one", "/system Rhyme.", "two", "/system -", "x"
    )
    assert done.contents == [
        ["Be brief.", "one"],
        ["Rhyme.", "one", "a1", "two"],
        ["one", "a1", "two", "a2", "x"],
    ]
    stderr = capsys.readouterr().err
    assert stderr.count("there is no system message\n") == 2
    assert "system message: Rhyme.\n" in stderr


def test_retry_asks_the_last_question_again_without_its_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = Conversation("/retry", "one", "two", "/system S", "/retry")
    assert done.contents == [["one"], ["one", "a1", "two"], ["S", "one", "a1", "two"]]
    assert "there is no question to ask again" in capsys.readouterr().err


def test_a_question_that_failed_can_be_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    failure = ApiError("slow down", type="rate_limit_error", status=429)
    done = Conversation("one", "two", "/retry", answers=["a1", failure, "a2"])
    assert done.contents == [["one"], ["one", "a1", "two"], ["one", "a1", "two"]]
    assert "error: slow down\n" in capsys.readouterr().err
    assert len(done.saved) == 2


def test_an_answer_without_text_is_not_part_of_the_conversation() -> None:
    assert Conversation("one", "two", answers=["", "a"]).contents == [["one"], ["two"]]


def test_clear_begins_anew_with_the_same_system_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert Conversation("/system S", "one", "/clear", "/retry", "two").contents == [
        ["S", "one"],
        ["S", "two"],
    ]
    assert "there is no question to ask again" in capsys.readouterr().err


def test_lines_that_end_with_a_backslash_are_one_prompt() -> None:
    done = Conversation("one\\", "two", "three")
    assert done.contents[0] == ["one\ntwo"]
    assert done.prompts == ["> ", ". ", "> ", "> "]


def test_a_prompt_may_begin_with_a_slash() -> None:
    assert Conversation("//etc/hosts").contents == [["/etc/hosts"]]


def test_an_unknown_command_is_not_sent(capsys: pytest.CaptureFixture[str]) -> None:
    assert Conversation("/modle p/m").asked == []
    assert (
        "error: no command is called /modle\nhint:  /help lists them\n" in capsys.readouterr().err
    )


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    Conversation("/help")
    stderr = capsys.readouterr().err
    for command in ("/model", "/system", "/retry", "/clear", "/help", "/exit", "Ctrl-C"):
        assert command in stderr


@pytest.mark.parametrize("end", ["/exit", "/quit", EOFError])
def test_a_conversation_ends(end: str | Failure) -> None:
    assert Conversation(end, "one").asked == []


def test_ctrl_c_at_the_prompt_empties_the_line_only() -> None:
    assert Conversation("one\\", KeyboardInterrupt, "two").contents == [["two"]]


def test_a_conversation_on_a_terminal(
    in_terminal: Callable[..., Any], gateway: FakeGateway, environment: dict[str, str]
) -> None:
    is_over = threading.Event()
    gateway.stream = [chunk("Hel"), chunk("lo"), last("Hello")]
    terminal = in_terminal("chat", "-m", "p/m", "-s", "Be brief.")
    terminal.until("> ")
    terminal.type("ready?\n")
    terminal.until("tok/s")
    gateway.stream = [chunk("Once upon"), lambda: is_over.wait(PATIENCE_S) and None, last()]
    terminal.type("a story\n")
    terminal.until("Once upon")
    terminal.interrupt()
    terminal.until("stopped")
    is_over.set()
    gateway.stream = [error("too long", type="invalid_request_error")]
    terminal.type("go on\n")
    terminal.until("error: ")
    terminal.until("> ", times=4)
    terminal.type("\x04")
    output, code = terminal.rest()
    assert code == 0
    assert "Traceback" not in output
    assert [each["content"] for each in gateway.asked["chat_input"]] == [
        "Be brief.", "ready?", "Hello", "a story", "Once upon", "go on",
    ]  # fmt: skip
    state = Path(environment["XDG_STATE_HOME"]) / "headway"
    history = state / "chat_history"
    assert history.read_text().splitlines() == ["ready?", "a story", "go on"]
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    [saved] = (state / "chats").glob("*.json")
    assert json.loads(saved.read_text())["messages"][-1]["content"] == "Once upon"


def test_a_conversation_that_is_not_saved_leaves_no_file(
    in_terminal: Callable[..., Any], environment: dict[str, str]
) -> None:
    terminal = in_terminal("chat", "--no-save")
    terminal.until("> ")
    terminal.type("hi\n")
    terminal.until("> ", times=2)
    terminal.type("\x04")
    assert terminal.rest()[1] == 0
    assert not Path(environment["XDG_STATE_HOME"]).exists()

"""``headway chat`` without a prompt on a terminal: a conversation, line by line.

The standard library's readline edits the lines and keeps their history. Ctrl-C stops an answer, or
empties the line; Ctrl-D ends.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headway.cli import terminal
from headway.cli.errors import CommandError, describe, usage_error
from headway.cli.model_names import check_model
from headway.sdk import ApiError

Message = dict[str, Any]

PROMPT = "> "
CONTINUATION = ". "
MAX_HISTORY_LINES = 1000
HELP = """\
/model [PROVIDER/MODEL]  say which model answers, or call another one from here on
/system [TEXT]           say what the system message is, or set it; /system - removes it
/retry                   ask the last question again
/clear                   begin a new conversation
/help                    print this list
/exit                    end, as Ctrl-D does
A line that ends with \\ goes on in the next one; // at the beginning sends a slash.
Ctrl-C stops an answer; the part that has arrived stays in the conversation."""


Ask = Callable[[str, list[Message]], str]
"""(model, messages) -> the answer, already printed; what arrived of it if Ctrl-C stopped it. Raises
ApiError."""
Save = Callable[[str, list[Message]], None]
ReadLine = Callable[[str], str]
"""Raises EOFError at Ctrl-D, KeyboardInterrupt at Ctrl-C."""


class ChatSession:
    """One conversation. ``save`` is called after each answer; ``check`` raises CommandError for
    what names no model."""

    def __init__(
        self,
        model: str,
        messages: list[Message],
        ask: Ask,
        save: Save,
        check: Callable[[str], None] = check_model,
    ) -> None:
        self._check_model = check
        self.model = model
        self.messages = messages
        self._ask = ask
        self._save = save
        self._question: str | None = None
        self._before_question = list(messages)

    def run(self, read_line: ReadLine = input) -> None:
        """Read and answer until Ctrl-D or /exit."""
        terminal.note(f"{self.model} · /help lists the commands · Ctrl-D ends")
        while True:
            try:
                line = _read(read_line)
            except KeyboardInterrupt:
                terminal.end_line()
                continue
            except EOFError:
                terminal.end_line()
                return
            if line in ("/exit", "/quit"):
                return
            try:
                self.process(line)
            except (ApiError, CommandError) as error:
                terminal.write_error(describe(error))

    def process(self, line: str) -> None:
        """Answer a prompt, or carry out a command. Raises ApiError, CommandError."""
        if line.startswith("/") and not line.startswith("//"):
            name, _, argument = line.partition(" ")
            command = COMMANDS.get(name)
            if command is None:
                raise usage_error(f"no command is called {name}", "/help lists them")
            command(self, argument.strip())
        elif line:
            self._answer(line.removeprefix("/") if line.startswith("//") else line)

    def _answer(self, question: str) -> None:
        self._question, self._before_question = question, list(self.messages)
        asked = [*self.messages, {"role": "user", "content": question}]
        if answer := self._ask(self.model, asked):
            self.messages = [*asked, {"role": "assistant", "content": answer}]
            self._save(self.model, self.messages)

    def _set_model(self, model: str) -> None:
        if model:
            self._check_model(model)
            self.model = model
        terminal.note(f"model: {self.model}")

    def _set_system(self, text: str) -> None:
        if text:
            self.messages = with_system(self.messages, None if text == "-" else text)
        found = [each["content"] for each in self.messages if each.get("role") == "system"]
        terminal.note(f"system message: {found[0]}" if found else "there is no system message")

    def _retry(self, _: str) -> None:
        if self._question is None:
            raise usage_error("there is no question to ask again")
        self.messages = with_system(self._before_question, _system(self.messages))
        self._answer(self._question)

    def _clear(self, _: str) -> None:
        self.messages = with_system([], _system(self.messages))
        self._question = None
        terminal.note("a new conversation")

    def _help(self, _: str) -> None:
        terminal.note(HELP)


COMMANDS: dict[str, Callable[[ChatSession, str], None]] = {
    "/model": ChatSession._set_model,
    "/system": ChatSession._set_system,
    "/retry": ChatSession._retry,
    "/clear": ChatSession._clear,
    "/help": ChatSession._help,
}


def with_system(messages: list[Message], text: str | None) -> list[Message]:
    """The messages with this system message in place of an earlier one; None removes it."""
    rest = [message for message in messages if message.get("role") != "system"]
    return rest if text is None else [{"role": "system", "content": text}, *rest]


def _system(messages: list[Message]) -> str | None:
    return next((each["content"] for each in messages if each.get("role") == "system"), None)


def _read(read_line: ReadLine) -> str:
    lines = [read_line(PROMPT)]
    while lines[-1].endswith("\\"):
        lines[-1] = lines[-1][:-1]
        lines.append(read_line(CONTINUATION))
    return "\n".join(lines).strip()


@contextmanager
def line_history(path: Path | None) -> Iterator[None]:
    """Edit lines with readline, and keep them in ``path`` (readable by the user only) for the next
    session. None keeps nothing. Without readline, as on Windows, lines are read plainly."""
    try:
        import readline
    except ImportError:
        yield
        return
    readline.set_history_length(MAX_HISTORY_LINES)
    if path is not None:
        with contextlib.suppress(OSError):  # there is none yet
            readline.read_history_file(path)
    try:
        yield
    finally:
        if path is not None:
            with contextlib.suppress(OSError):  # a history that cannot be kept is no failure
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.touch(mode=0o600)
                readline.write_history_file(path)

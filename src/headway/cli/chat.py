"""``headway chat``: send one prompt, stream the reply, print one line of metrics. Without a prompt
on a terminal, a conversation (`chat_session`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import Struct

from headway.cli import conversations, terminal
from headway.cli.chat_session import ChatSession, line_history, with_system
from headway.cli.conversations import Conversation, Conversations, UnreadableConversation
from headway.cli.errors import usage_error
from headway.cli.first_call import DEFAULT_MODEL
from headway.cli.metrics_line import metrics_line
from headway.cli.model_names import check_model
from headway.cli.options import DEFAULT_URL, ApiKey, AsJson, Url, connect
from headway.cli.prompt import is_interactive, read_parameters, read_prompt
from headway.sdk import ChatChunk, ChatStream, Client

Message = dict[str, Any]


class Reply(Struct, frozen=True):
    output: str
    finish_reason: str | None


def chat(
    ctx: typer.Context,
    prompt: Annotated[
        str | None,
        typer.Argument(
            metavar="PROMPT",
            help="The prompt; - reads it from stdin. Piped input is appended to it. "
            "Without it, on a terminal: a conversation.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            envvar="HEADWAY_MODEL",
            metavar="PROVIDER/MODEL",
            help="The model to call; `headway models` lists them.",
        ),
    ] = DEFAULT_MODEL,
    system: Annotated[
        str | None, typer.Option("--system", "-s", metavar="TEXT", help="The system message.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            metavar="KEY=VALUE",
            help="A generation parameter, value in JSON or plain text; as many as you like.",
        ),
    ] = None,
    continue_last: Annotated[
        bool,
        typer.Option("--continue", "-c", help="Continue the last conversation, with its model."),
    ] = False,
    save: Annotated[
        bool, typer.Option(help="Save the conversation for --continue, readable by you alone.")
    ] = True,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """Call a model, and print its reply and metrics.

    The reply streams to stdout as it arrives; one line of metrics follows on stderr. Without a
    prompt, on a terminal, it is a conversation; /help lists its commands.
    """
    saved = Conversations(conversations.folder(os.environ))
    path, last = _last(saved) if continue_last else (None, None)
    source = ctx.get_parameter_source("model")
    if last is not None and (source is None or source.name != "COMMANDLINE"):
        model = last.model
    check_model(model, url, api_key)
    parameters = read_parameters(param or ())
    history = _history(last, system)
    if prompt is None and is_interactive() and terminal.is_terminal() and not as_json:
        save_as = _Saver(saved, path) if save else None
        check = partial(check_model, url=url, api_key=api_key)
        return _converse(connect(url, api_key), model, history, parameters, save_as, check)
    question = read_prompt(prompt)
    messages = [*history, {"role": "user", "content": question}]
    with connect(url, api_key) as client:
        ask = _print_json if as_json else _print_stream
        reply = ask(client, model, messages if history else question, parameters)
    if save and reply.output and reply.finish_reason not in ("tool_calls", "function_call"):
        message = {"role": "assistant", "content": reply.output}
        _Saver(saved, path)(model, [*messages, message])
    return None


def _converse(
    client: Client,
    model: str,
    history: list[Message],
    parameters: Message | None,
    save: _Saver | None,
    check: Callable[[str], None],
) -> None:
    def ask(model: str, messages: list[Message]) -> str:
        return _print_stream(client, model, messages, parameters, is_stoppable=True).output

    path = conversations.history_file(os.environ) if save else None
    with client, line_history(path):
        ChatSession(model, history, ask, save or _keep_nothing, check).run()


def _keep_nothing(model: str, messages: list[Message]) -> None:
    """For --no-save."""


class _Saver:
    """Saves one conversation, always to the same file."""

    def __init__(self, saved: Conversations, path: Path | None) -> None:
        self._saved = saved
        self._path = path

    def __call__(self, model: str, messages: list[Message]) -> None:
        """A conversation that cannot be saved is reported, but the command does not fail."""
        try:
            self._path = self._saved.save(Conversation(model, messages), self._path)
        except OSError as error:
            terminal.note(f"the conversation was not saved: {error}")


def _last(saved: Conversations) -> tuple[Path, Conversation]:
    try:
        found = saved.last()
    except UnreadableConversation as error:
        raise usage_error(str(error), "remove the file, or call without --continue") from error
    if found is None:
        raise usage_error("there is no conversation to continue", "call without --continue first")
    return found


def _history(last: Conversation | None, system: str | None) -> list[Message]:
    """The earlier messages; a given system message replaces an earlier one."""
    messages = list(last.messages) if last else []
    return messages if system is None else with_system(messages, system)


def _print_json(
    client: Client, model: str, chat_input: str | Sequence[Message], parameters: Message | None
) -> Reply:
    with terminal.waiting(f"waiting for {model}"):
        reply = client.chat(model, chat_input, parameters)
    terminal.write_json(reply.raw)
    return Reply(reply.chat_output or "", _finish_reason(reply.choices))


def _print_stream(
    client: Client,
    model: str,
    chat_input: str | Sequence[Message],
    parameters: Message | None,
    *,
    is_stoppable: bool = False,
) -> Reply:
    """With ``is_stoppable`` Ctrl-C ends the answer, which also cancels it at the provider, and the
    part that arrived is returned."""
    printed: list[str] = []
    try:
        with (
            terminal.waiting(f"waiting for {model}") as stop_waiting,
            client.chat(model, chat_input, parameters, stream=True) as stream,
        ):
            last = _print_chunks(stream, stop_waiting, printed)
    except KeyboardInterrupt:
        if not is_stoppable:
            raise
        terminal.note("stopped")
        return Reply("".join(printed), None)
    finish = _finish_reason(last.choices)
    if last.metrics:
        terminal.note(metrics_line(model, last.metrics, finish))
    return Reply(last.chat_output or "", finish)


def _print_chunks(
    stream: ChatStream, stop_waiting: Callable[[], None], printed: list[str]
) -> ChatChunk:
    """Print text as it arrives and append it to ``printed``; without any (a tool call), the whole
    output at the end. Returns the last chunk. Also ends the line when the stream breaks off."""
    try:
        for chunk in stream:
            text = chunk.text or ("" if printed else chunk.chat_output)
            if text:
                stop_waiting()
                printed.append(text)  # before writing, because Ctrl-C may interrupt it
                terminal.write(text)
    finally:
        if printed and not printed[-1].endswith("\n"):
            terminal.write("\n")
    return chunk


def _finish_reason(choices: Sequence[Message]) -> str | None:
    return choices[0].get("finish_reason") if choices else None

"""``headway chat``: send one prompt, stream the reply, print one line of metrics."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import Struct

from headway.cli import conversations, terminal
from headway.cli.conversations import Conversation, Conversations, UnreadableConversation
from headway.cli.errors import usage_error
from headway.cli.first_call import DEFAULT_MODEL
from headway.cli.metrics_line import metrics_line
from headway.cli.options import DEFAULT_URL, ApiKey, AsJson, Url, connect
from headway.cli.prompt import read_parameters, read_prompt
from headway.sdk import ChatChunk, ChatStream, Client
from headway.sdk.requests import split_model

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
            help="The prompt; - reads it from stdin. Piped input is appended to it.",
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

    The reply streams to stdout as it arrives; one line of metrics follows on stderr.
    """
    saved = Conversations(conversations.folder(os.environ))
    path, last = _last(saved) if continue_last else (None, None)
    source = ctx.get_parameter_source("model")
    if last is not None and (source is None or source.name != "COMMANDLINE"):
        model = last.model
    _check_model(model)
    parameters = read_parameters(param or ())
    history = _history(last, system)
    question = read_prompt(prompt)
    messages = [*history, {"role": "user", "content": question}]
    with connect(url, api_key) as client:
        ask = _print_json if as_json else _print_stream
        reply = ask(client, model, messages if history else question, parameters)
    if save and reply.output and reply.finish_reason not in ("tool_calls", "function_call"):
        message = {"role": "assistant", "content": reply.output}
        _save(saved, Conversation(model, [*messages, message]), path)


def _last(saved: Conversations) -> tuple[Path, Conversation]:
    try:
        found = saved.last()
    except UnreadableConversation as error:
        raise usage_error(str(error), "remove the file, or call without --continue") from error
    if found is None:
        raise usage_error("there is no conversation to continue", "call without --continue first")
    return found


def _check_model(model: str) -> None:
    try:
        split_model(model)
    except ValueError as error:
        raise usage_error(str(error), "`headway models` lists them") from error


def _history(last: Conversation | None, system: str | None) -> list[Message]:
    """The earlier messages; a given system message replaces an earlier one."""
    messages = list(last.messages) if last else []
    if system is None:
        return messages
    rest = [message for message in messages if message.get("role") != "system"]
    return [{"role": "system", "content": system}, *rest]


def _print_json(
    client: Client, model: str, chat_input: str | Sequence[Message], parameters: Message | None
) -> Reply:
    with terminal.waiting(f"waiting for {model}"):
        reply = client.chat(model, chat_input, parameters)
    terminal.write_json(reply.raw)
    return Reply(reply.chat_output or "", _finish_reason(reply.choices))


def _print_stream(
    client: Client, model: str, chat_input: str | Sequence[Message], parameters: Message | None
) -> Reply:
    with (
        terminal.waiting(f"waiting for {model}") as stop_waiting,
        client.chat(model, chat_input, parameters, stream=True) as stream,
    ):
        last = _print_chunks(stream, stop_waiting)
    finish = _finish_reason(last.choices)
    if last.metrics:
        terminal.note(metrics_line(model, last.metrics, finish))
    return Reply(last.chat_output or "", finish)


def _print_chunks(stream: ChatStream, stop_waiting: Callable[[], None]) -> ChatChunk:
    """Print text as it arrives; without any (a tool call), the whole output at the end. Returns
    the last chunk. Also ends the line when the stream breaks off."""
    printed = ""
    try:
        for chunk in stream:
            text = chunk.text or ("" if printed else chunk.chat_output)
            if text:
                stop_waiting()
                printed = text  # before writing, because Ctrl-C may interrupt it
                terminal.write(text)
    finally:
        if printed and not printed.endswith("\n"):
            terminal.write("\n")
    return chunk


def _finish_reason(choices: Sequence[Message]) -> str | None:
    return choices[0].get("finish_reason") if choices else None


def _save(saved: Conversations, conversation: Conversation, path: Path | None) -> None:
    """A conversation that cannot be saved is reported, but the command does not fail."""
    try:
        saved.save(conversation, path)
    except OSError as error:
        terminal.note(f"the conversation was not saved: {error}")

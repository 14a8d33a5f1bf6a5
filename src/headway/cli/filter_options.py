"""The options that say which calls are meant. They have the names and values of the parameters of
``GET /api/logs``, and are read by the same code."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from headway.cli.errors import usage_error
from headway.errors import RequestError

if TYPE_CHECKING:
    from headway.ledger.queries import Query

Pairs = list[tuple[str, str]]
"""Names of filters and their values, as given."""


class FilterOption(NamedTuple):
    """The help of one filter."""

    metavar: str
    help: str


OPTIONS = {
    "since": FilterOption("TIME", "Calls since then: 24h or 7d ago, or an ISO time (UTC)."),
    "until": FilterOption("TIME", "Calls before then."),
    "provider": FilterOption("NAME", "Of this provider."),
    "model": FilterOption("NAME", "Of this model, requested or served."),
    "session": FilterOption("ID", "Of this session."),
    "user": FilterOption("NAME", "Of this end user."),
    "tag": FilterOption("TAG", "With this tag, such as team:search."),
    "key": FilterOption("ID", "Of the gateway key with this id: 8 hex digits, or anonymous."),
    "dialect": FilterOption("NAME", "In this wire format of the client, such as openai_chat."),
    "outcome": FilterOption("WORD", "That ended so: ok, error, cancelled or refused."),
    "status": FilterOption("STATUS", "With this HTTP status: 200, 4xx, 400-499."),
    "route": FilterOption("NAME", "Of this configured route."),
    "role": FilterOption(
        "WORD", "Whose last attempt was made for this: first, retry, fallback, hedge or shadow."
    ),
    "cache": FilterOption("WORD", "With this from the cache: hit, miss, coalesced or bypass."),
    "min-cost": FilterOption("USD", "That cost at least this."),
    "max-cost": FilterOption("USD", "That cost at most this."),
    "min-latency": FilterOption("SECONDS", "That took at least this long."),
    "max-latency": FilterOption("SECONDS", "That took at most this long."),
    "text": FilterOption("WORDS", "With these words in the messages, where kept, or the error."),
    "id": FilterOption("ID", "With this id, or this request id of the client's."),
}
"""In the order of the help. All but times, amounts and ``text`` may be repeated, or list values
separated by commas: any of them is meant then."""
ONE_VALUE = frozenset(
    {"since", "until", "min-cost", "max-cost", "min-latency", "max-latency", "text"}
)


def takes_filters(command: Callable[..., None]) -> Callable[..., None]:
    """Give ``command`` the options of all filters. It gets them as its parameter ``filters``."""

    @functools.wraps(command)
    def run(**values: Any) -> None:
        filters: Pairs = []
        for option in OPTIONS:
            given = values.pop(_identifier(option))
            if option in ONE_VALUE:
                given = [] if given is None else [given]
            filters += [(_identifier(option), value) for value in given or ()]
        command(**values, filters=filters)

    signature = inspect.signature(command, eval_str=True)
    own = [one for name, one in signature.parameters.items() if name != "filters"]
    named = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
    run.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*named, *map(_parameter, OPTIONS)]
    )
    run.__annotations__ = {one.name: one.annotation for one in [*named, *map(_parameter, OPTIONS)]}
    return run


def read_query(filters: Pairs, takes: Sequence[tuple[str, str | None]] = ()) -> Query:
    """The query of the filters, and of further options with their values; those that are None were
    not given. Raises CommandError."""
    from headway.ledger import queries

    given = [(name, value) for name, value in takes if value is not None]
    with _named_options():
        return queries.read([*filters, *given], time.time(), takes=tuple(name for name, _ in takes))


@contextmanager
def _named_options() -> Iterator[None]:
    """Errors name the option in place of the parameter."""
    try:
        yield
    except RequestError as error:
        name = error.param or ""
        message = error.message
        for parameter in (name, *map(_identifier, OPTIONS)):
            option = "--" + parameter.replace("_", "-")
            message = message.replace(f"`{parameter}`", option)
        raise usage_error(message.removesuffix(".")) from None


def _identifier(option: str) -> str:
    return option.replace("-", "_")


def _parameter(option: str) -> inspect.Parameter:
    described = OPTIONS[option]
    annotation = Annotated[  # type: ignore[valid-type]
        str | None if option in ONE_VALUE else list[str] | None,
        typer.Option(f"--{option}", metavar=described.metavar, help=described.help),
    ]
    return inspect.Parameter(
        _identifier(option), inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation
    )

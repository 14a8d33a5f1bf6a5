"""Conditions in CEL, the Common Expression Language (github.com/google/cel-spec): compiled and
type-checked once, evaluated at each request.

cel-expr-python is imported where there is a condition in CEL, and only there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from headway.routing.abilities import NEEDS
from headway.routing.routed_request import RoutedRequest

if TYPE_CHECKING:
    from cel_expr_python.cel import Env, Expression

NO_LIBRARY = (
    "conditions in CEL need the package cel-expr-python: install headway[cel], or write a table"
)
MAX_LENGTH = 2000
"""Characters of an expression."""


class Variable(Struct, frozen=True):
    type: str
    """CEL's name of it."""
    field: str
    """Of ``RoutedRequest``."""
    meaning: str


VARIABLES: Mapping[str, Variable] = {
    "model": Variable("string", "model", "the name that the client sent"),
    "dialect": Variable("string", "dialect", "the client's wire format"),
    "headers": Variable("map(string, string)", "headers", "by their names in lower case"),
    "tags": Variable("list(string)", "tags", "of the request"),
    "key": Variable("string", "key_id", "the id of the gateway key"),
    "user": Variable("string", "user", "the end user"),
    "session": Variable("string", "session_id", "the id of the session"),
    "stream": Variable("bool", "stream", "whether a stream is asked for"),
    "tokens": Variable("int", "input_tokens", "of the input, estimated by its length"),
    "max_tokens": Variable("int", "max_output_tokens", "most tokens of the answer, if it says so"),
    "needs": Variable("list(string)", "needs", f"some of {', '.join(NEEDS)}"),
    "budget_left": Variable(
        "double", "budget_left_usd", "dollars left of the budget, if it has one"
    ),
    "now": Variable("timestamp", "now", 'the time, as in `now.getHours("Europe/Berlin") < 8`'),
}
SAMPLE = RoutedRequest(
    model="model",
    dialect="chat",
    headers={},
    user="user",
    max_output_tokens=1,
    budget_left_usd=1.0,
)
"""A request with every value, on which an expression is tried."""
_TEXT = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_NAME = re.compile(r"(?<![\w.])[a-z_]+\b")
_PLACE = re.compile(r"<input>:(\d+):(\d+): (.*)")
_FIXED = ("INVALID_ARGUMENT",)
"""Errors of a value that are the expression's own: a wrong regular expression or time zone."""


class CelError(Exception):
    """An expression is wrong. The message tells the column, and repeats nothing of the text."""


class CelCondition:
    """An expression that gives true or false."""

    __slots__ = ("_evaluate", "_values", "reads", "text")

    def __init__(self, text: str, expression: Expression) -> None:
        self.text = text
        """As in the configuration."""
        names = _names_in(text)
        self.reads = frozenset(VARIABLES[name].field for name in names)
        self._values = [(name, *_reader(name)) for name in names]
        self._evaluate = expression.eval

    def unmet(self, request: RoutedRequest) -> str | None:
        found = self.evaluate(request)
        if found is True:
            return None
        return self.text if found is False else f"{self.text} ({_describe(found)})"

    def evaluate(self, request: RoutedRequest) -> object:
        """True, false, or the text of an error: of a value that is missing, among others."""
        data = {}
        for name, field, convert in self._values:
            value = getattr(request, field)
            if value is not None:
                data[name] = value if convert is None else convert(value)
        try:
            return self._evaluate(data=data).value()
        except Exception as error:  # the library's own limits of iterations and depth
            return str(error)


def compile_cel(text: str) -> CelCondition:
    """Raises CelError, for a missing library, too."""
    if len(text) > MAX_LENGTH:
        raise CelError(f"is longer than {MAX_LENGTH} characters; write several targets")
    env = _environment()
    try:
        expression = env.compile(text)
    except Exception as error:
        raise CelError(_explain(str(error))) from None
    if expression.return_type().name() != "BOOL":
        raise CelError("gives no true or false: compare the value with another")
    condition = CelCondition(text, expression)
    found = condition.evaluate(SAMPLE)
    if isinstance(found, str) and found.startswith(_FIXED):
        raise CelError(f"cannot be evaluated: {_describe(found).partition(':')[0].lower()}")
    return condition


def find_fault(text: str) -> str | None:
    """What is wrong with a condition in CEL, in words that follow its place in the configuration.
    Repeats no part of its texts, as a key may have got there."""
    try:
        compile_cel(text)
    except CelError as error:
        return str(error)
    return None


@lru_cache(maxsize=1)
def _environment() -> Env:
    try:
        from cel_expr_python import cel
    except ImportError:
        raise CelError(NO_LIBRARY) from None
    text = cel.Type.STRING
    types = {
        "string": text,
        "bool": cel.Type.BOOL,
        "int": cel.Type.INT,
        "double": cel.Type.DOUBLE,
        "timestamp": cel.Type.TIMESTAMP,
        "list(string)": cel.Type.List(text),
        "map(string, string)": cel.Type.Map(text, text),
    }
    return cel.NewEnv(variables={name: types[one.type] for name, one in VARIABLES.items()})


def _names_in(text: str) -> list[str]:
    """The variables that an expression may use: names outside of its texts."""
    return [name for name in VARIABLES if name in _NAME.findall(_TEXT.sub('""', text))]


def _reader(name: str) -> tuple[str, Callable[[Any], object] | None]:
    variable = VARIABLES[name]
    if variable.type.startswith("list"):
        return variable.field, list
    return variable.field, _moment if variable.type == "timestamp" else None


def _moment(unix_s: float) -> datetime:
    return datetime.fromtimestamp(unix_s, UTC)


def _explain(error: str) -> str:
    """The first error of the compiler, with its place."""
    found = _PLACE.search(error)
    if found is None:
        return "is nested too deeply"
    line, column, message = found.groups()
    place = f"column {column}" if line == "1" else f"line {line}, column {column}"
    if "undeclared reference" in message:
        return f"{place}: no such name; known: {', '.join(VARIABLES)}"
    if "<EOF>" in message:
        return f"{place}: the expression ends too early"
    if "Syntax error" in message:
        return f"{place}: this is no CEL"
    return f"{place}: {message.replace('overload', 'operation').replace('found no', 'no')}"


def _describe(error: object) -> str:
    """``NOT_FOUND: Key not found in map : "x-team"`` without its code."""
    return str(error).partition(": ")[2].partition("\n")[0] or "it is neither true nor false"

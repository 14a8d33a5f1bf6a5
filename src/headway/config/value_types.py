"""The types of configuration values: how each is described in messages, and how its text is parsed.

``ValueType.read`` raises InvalidValueError, with a message where the description is not enough.
Messages never repeat the text: it may be a key in the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from headway.config.nodes import FALSE, TRUE, Scalar
from headway.config.secret import Secret
from headway.wire.url import join

TEXTUAL = frozenset({"str", "timestamp"})
"""YAML parses 2024-06-01 as a date; API versions look like that."""
DAY_MINUTES = 24 * 60
WEEKDAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NEEDED = (
    "tools", "images", "documents", "audio", "json_schema", "json_object", "reasoning", "logprobs"
)  # fmt: skip
"""What a request may need of a model."""
WORDS = TEXTUAL | {"bool"}
"""YAML 1.1 parses ``off`` as false."""
MAX_DIGITS = 12
"""Of a number of tokens."""
NUMERIC = frozenset({"str", "int", "float"})


class InvalidValueError(Exception):
    """The text is not a value of this type."""


class ValueType(Struct, frozen=True):
    description: str
    """Completes the message "must be ..."."""
    read: Callable[[str], Any]
    tags: frozenset[str] = TEXTUAL
    """The YAML tags that are accepted."""


def value_of(form: ValueType, scalar: Scalar) -> Any:
    """The value of ``scalar``. Raises InvalidValueError with the complete message."""
    if scalar.tag not in form.tags and not scalar.expanded:
        hint = "; put it in quotes" if form.tags is TEXTUAL else ""
        if scalar.tag == "str" and _is_read(form, scalar.text):
            hint = "; remove the quotes around it"
        raise InvalidValueError(f"must be {form.description}{hint}")
    try:
        return form.read(scalar.text)
    except InvalidValueError as error:
        is_quoted = _is_quoted(scalar.text) and _is_read(form, scalar.text[1:-1])
        hint = "; remove the quotes around it" if is_quoted else ""
        raise InvalidValueError(str(error) or f"must be {form.description}{hint}") from None


def _is_quoted(text: str) -> bool:
    """``docker run --env-file`` keeps the quotes of a value."""
    return len(text) > 1 and text[0] in "\"'`" and text[0] == text[-1]


def _is_read(form: ValueType, text: str) -> bool:
    try:
        form.read(text)
    except InvalidValueError:
        return False
    return True


def _matcher(pattern: str) -> Callable[[str], re.Match[str]]:
    compiled = re.compile(pattern)

    def match(text: str) -> re.Match[str]:
        found = compiled.fullmatch(text)
        if found is None:
            raise InvalidValueError
        return found

    return match


# --- Numbers ------------------------------------------------------------------------------------

_integer = _matcher(r"0|[1-9][0-9]{0,17}")
_decimal = _matcher(r"(?=.{1,30}$)[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]{1,2})?")
_function = _matcher(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_time_of_day = _matcher(r"([0-9]{1,2}):([0-9]{2})")
_quantity = _matcher(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)")

SIZES: Mapping[str, int] = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
}
SECONDS: Mapping[str, str] = {"": "1", "ms": "0.001", "s": "1", "m": "60", "h": "3600"}
AGES: Mapping[str, str] = {"h": "3600", "d": "86400", "w": "604800"}


def _integer_within(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(_integer(text).group())
        if not low <= number <= high:
            raise InvalidValueError
        return number

    return read


def _scaled(text: str, units: Mapping[str, int] | Mapping[str, str]) -> Decimal:
    found = _quantity(text)
    unit = units.get(found[2].lower())
    if unit is None:
        raise InvalidValueError
    return Decimal(found[1]) * Decimal(unit)


def _size(text: str) -> int:
    size = _scaled(text, SIZES)
    if size < 1 or size != int(size):
        raise InvalidValueError
    return int(size)


def _seconds(text: str) -> float:
    return float(_scaled(text, SECONDS))


def _positive_seconds(text: str) -> float:
    if not (seconds := _seconds(text)):
        raise InvalidValueError
    return seconds


def _price(text: str) -> Decimal:
    price = Decimal(_decimal(text).group())
    if price > 1_000_000:
        raise InvalidValueError
    return price


def _tokens(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > MAX_DIGITS:
        raise InvalidValueError
    return int(text)


def _number(text: str) -> float:
    number = float(_decimal(text).group())
    if number > 1_000_000:
        raise InvalidValueError
    return number


def _rate(text: str) -> float:
    if not (number := _number(text)):
        raise InvalidValueError
    return number


def _share(text: str) -> float:
    """From 0 to 1, or in per cent."""
    share = _number(text.rstrip("%")) / 100 if text.endswith("%") else _number(text)
    if share > 1:
        raise InvalidValueError
    return share


def _minutes(text: str) -> int:
    """``HH:MM`` as minutes of the day, up to 24:00."""
    found = _time_of_day(text)
    minutes = int(found[1]) * 60 + int(found[2])
    if minutes > DAY_MINUTES or int(found[2]) > 59:
        raise InvalidValueError
    return minutes


def _hours(text: str) -> tuple[int, int]:
    start, _, end = text.partition("-")
    return _minutes(start.strip()) % DAY_MINUTES, _minutes(end.strip())


def _weekdays(text: str) -> tuple[int, ...]:
    """``mon``, or ``fri-mon`` with all days between."""
    first, _, last = text.strip().lower().partition("-")
    if first not in WEEKDAY_NAMES or (last or first) not in WEEKDAY_NAMES:
        raise InvalidValueError
    start, end = WEEKDAY_NAMES.index(first), WEEKDAY_NAMES.index(last or first)
    return tuple((start + day) % 7 for day in range((end - start) % 7 + 1))


def _time_zone(text: str) -> str:
    from zoneinfo import ZoneInfo  # needed by few

    try:
        if text != "UTC":  # known without a database of zones
            ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # KeyError: there is no such file
        raise InvalidValueError from None
    return text


def _flag(text: str) -> bool:
    lowered = text.lower()
    if lowered not in TRUE | FALSE:
        raise InvalidValueError
    return lowered in TRUE


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        word = text.strip().lower()
        if word not in words:
            raise InvalidValueError
        return word

    return read


# --- Texts --------------------------------------------------------------------------------------

_printable = _matcher(r"[!-~]+")
_name = _matcher(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_hostname = _matcher(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})")
_token = _matcher(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_field_value = _matcher(r"[\t -~\x80-\xff]*")

OWN_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "transfer-encoding"}
)


def _text(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise InvalidValueError
    return text


def _alias(text: str) -> str:
    if text.count("*") > 1:
        raise InvalidValueError("has more than one star")
    return _text(text)


def _model(text: str) -> str:
    provider, _, model = text.partition("/")
    if not (provider.strip() and model.strip()):
        raise InvalidValueError
    return text


def _target(text: str) -> str:
    """Whether it is ``provider/model`` or a name of ``models`` is checked when all are read."""
    return text if "/" not in text else _model(text)


def _key(text: str) -> Secret:
    """Keys are sent in headers; those read from files often end in a line break."""
    key = _printable(text.strip()).group()
    if _is_quoted(key):
        raise InvalidValueError
    return Secret(key)


def _key_or_none(text: str) -> Secret:
    """Empty, as ``${NAME:-}`` expands without a variable, means no key."""
    return _key(text) if text.strip() else Secret()


def _secret(text: str) -> Secret:
    """Any text, such as a password with spaces; one read from a file may end in a line break."""
    return Secret(text.strip("\r\n"))


def _host(text: str) -> str:
    host = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        ip_address(host)
    except ValueError:
        return _hostname(host).group()
    return host


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _header_name(text: str) -> str:
    """A field name (RFC 9110, section 5.1), except those that the transport sets."""
    name = _token(text).group()
    if name.lower() in OWN_HEADERS:
        raise InvalidValueError("is set by the gateway itself; remove it")
    return name


# --- Addresses ----------------------------------------------------------------------------------


def _split(text: str, schemes: tuple[str, ...]) -> SplitResult:
    _printable(text)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise InvalidValueError from None
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise InvalidValueError
    return parts


def _url(text: str) -> str:
    """A URL that the transport accepts, checked with the transport's own function."""
    if "@" in text.partition("?")[0]:
        raise InvalidValueError("must hold no user or password: use api_key or headers for that")
    if "#" in text:
        raise InvalidValueError("must have no fragment (#...), which is never sent")
    try:
        join(text)
    except ValueError:
        raise InvalidValueError from None
    return text.rstrip("/")


def _proxy(text: str) -> Secret:
    if text:
        _split(text, ("http", "https"))
    return Secret(text.rstrip("/"))


def _origin(text: str) -> str:
    """An origin as browsers send it: RFC 6454 section 6.2."""
    if text == "*":
        return text
    parts = _split(text, ("http", "https"))
    if text != f"{parts.scheme}://{parts.netloc}" or "@" in text:
        raise InvalidValueError
    return text.lower()


def _ledger_url(text: str) -> Secret:
    """The URL of a PostgreSQL database, or ``sqlite:///`` with a relative or absolute path."""
    if text.startswith(("postgresql:", "postgres:")):
        return Secret(_postgresql_url(text))
    if not text.startswith("sqlite:"):
        raise InvalidValueError("must begin with sqlite:/// or postgresql://")
    scheme, _, path = text.partition(":///")
    if scheme != "sqlite" or not path.strip("/") or path == ":memory:" or "?" in path:
        raise InvalidValueError
    return Secret(text)


def _postgresql_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InvalidValueError from None
    if not (host or parts.query) or not parts.path.strip("/"):
        raise InvalidValueError("must be postgresql://user:password@host:port/database")
    return "postgresql" + text[text.index(":") :]


def _similarity(text: str) -> float:
    value = float(_price(text))
    if not 0 < value <= 1:
        raise InvalidValueError
    return value


def _age(text: str) -> float:
    seconds = float(_scaled(text, AGES))
    if not seconds:
        raise InvalidValueError
    return seconds


def _archive(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if separator and (scheme != "s3" or not rest.strip("/")):
        raise InvalidValueError
    return _text(text)


INTEGER_TAGS = frozenset({"int"})
PORT = ValueType("a port from 0 to 65535", _integer_within(0, 65535), INTEGER_TAGS)
COUNT = ValueType("a whole number from 1 to 1024", _integer_within(1, 1024), INTEGER_TAGS)
ITEMS = ValueType(
    "a whole number from 1000 to 100000000", _integer_within(1000, 10**8), INTEGER_TAGS
)
SIZE = ValueType("a number of bytes, or a size such as 32MB or 32MiB", _size, NUMERIC)
DURATION = ValueType(
    "a number of seconds, or a duration such as 500ms, 30s or 2m", _seconds, NUMERIC
)
TIMEOUT = ValueType(
    "more than 0 seconds: a number, or such as 500ms, 30s or 2m", _positive_seconds, NUMERIC
)
PRICE_PER_THOUSAND = ValueType("dollars per thousand, a number from 0 to 1000000", _price, NUMERIC)
PRICE_PER_MILLION = ValueType("dollars per million, a number from 0 to 1000000", _price, NUMERIC)
PRICE_PER_HOUR = ValueType("dollars per hour, a number from 0 to 1000000", _price, NUMERIC)
TOKENS = ValueType("a number of tokens", _tokens)
PRICE = ValueType("dollars per million tokens, a number from 0 to 1000000", _price, NUMERIC)
FLAG = ValueType("true or false", _flag, frozenset({"bool"}))
ALIAS = ValueType("a name, with one star at most", _alias)
TARGET = ValueType("provider/model, such as openai/gpt-4o-mini", _target)
CONDITION = ValueType("a condition in CEL, such as tokens < 8000", _text)
WEIGHT = ValueType("a number from 0 to 1000000", _number, NUMERIC)
SHARE = ValueType("a share from 0 to 1, such as 0.05 or 5%", _share, NUMERIC)
RATE = ValueType("tokens per second, more than 0", _rate, NUMERIC)
RETRIES = ValueType("a whole number from 0 to 10", _integer_within(0, 10), INTEGER_TAGS)
TOKEN_COUNT = ValueType("a number of tokens", _tokens, INTEGER_TAGS)
HOURS = ValueType("times of the day such as 08:00-18:00", _hours)
WEEKDAYS = ValueType("days of the week such as mon-fri or sun", _weekdays)
TIME_ZONE = ValueType("a time zone that this system knows, such as Europe/Berlin", _time_zone)
MODEL = ValueType("provider/model, such as openai/gpt-4o-mini", _model)
LOG_LEVEL = ValueType("debug, info, warning or error", _one_of("debug", "info", "warning", "error"))
LOG_FORMAT = ValueType("text or json", _one_of("text", "json"))
TEXT = ValueType("text", _text)
KEY = ValueType("a key: text without spaces or line breaks", _key)
OPTIONAL_KEY = ValueType("a key: text without spaces or line breaks", _key_or_none)
SECRET = ValueType("a secret: text", _secret)
NAME = ValueType(
    "a name of letters, digits, dots, dashes and underscores", lambda t: _name(t).group()
)
HOST = ValueType("an IP address or a host name", _host)
HEADER_NAME = ValueType("the name of an HTTP header", _header_name)
HEADER_VALUE = ValueType("text in one line", lambda text: Secret(_field_value(text).group()))
URL = ValueType("a URL such as https://host/v1 or unix:/path/of.sock", _url)
PROXY = ValueType("the URL of a proxy such as http://host:3128, or empty for none", _proxy)
ORIGIN = ValueType("an origin such as https://example.org, or *", _origin)
LEDGER_URL = ValueType(
    "sqlite:///relative/path, sqlite:////absolute/path or postgresql://host/database", _ledger_url
)
CONTENT = ValueType("off, hash or full", _one_of("off", "hash", "full"), WORDS)
FSYNC = ValueType("off, interval or always", _one_of("off", "interval", "always"), WORDS)
ON_FAILURE = ValueType("continue or refuse", _one_of("continue", "refuse"))
TENANT = ValueType("key or gateway", _one_of("key", "gateway"))
PACE = ValueType("instant or recorded", _one_of("instant", "recorded"))
SEMANTIC_MODE = ValueType("shadow or serve", _one_of("shadow", "serve"))
SIMILARITY = ValueType("a number above 0, at most 1", _similarity, NUMERIC)
ENTRIES = ValueType("a whole number from 1 to 1000000", _integer_within(1, 1_000_000), INTEGER_TAGS)
COALESCE = ValueType("off, deterministic or all", _one_of("off", "deterministic", "all"), WORDS)
FUNCTION = ValueType(
    "module:function, such as my_company.privacy:redact",
    lambda text: _function(text).group(),
)
AGE = ValueType("a time such as 12h, 90d or 52w", _age)
ARCHIVE = ValueType("a directory, or s3://bucket/prefix", _archive)
DOLLARS = ValueType("dollars, a number from 0 to 1000000", _price, NUMERIC)


def _choice(*words: str) -> ValueType:
    *first, last = words
    return ValueType(f"{', '.join(first)} or {last}", _one_of(*words))


NEED = _choice(*NEEDED)
STRATEGY = _choice(
    "ordered", "weighted", "least_outstanding", "lowest_latency", "cheapest", "fastest"
)
STICKY = _choice("session", "prefix")
FAILURE_RULE = _choice("empty", "invalid_schema")

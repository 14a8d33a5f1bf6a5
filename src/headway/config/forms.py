"""The forms that a text of the configuration can have: what each is called, and how it is read.

A form's ``read`` raises FormError, with a message if the form's own phrase says too little.
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
"""YAML takes 2024-06-01 for a date; an API version is a text that looks like that."""
NUMERIC = frozenset({"str", "int", "float"})


class FormError(Exception):
    """The text does not have the form."""


class Form(Struct, frozen=True):
    phrase: str
    """Completes "must be"."""
    read: Callable[[str], Any]
    tags: frozenset[str] = TEXTUAL
    """What YAML may take the text for."""


def value_of(form: Form, scalar: Scalar) -> Any:
    """The value that ``scalar`` stands for. Raises FormError with the whole message."""
    if scalar.tag not in form.tags and not scalar.expanded:
        hint = "; put it in quotes" if form.tags is TEXTUAL else ""
        raise FormError(f"must be {form.phrase}{hint}")
    try:
        return form.read(scalar.text)
    except FormError as error:
        raise FormError(str(error) or f"must be {form.phrase}") from None


def _matcher(pattern: str) -> Callable[[str], re.Match[str]]:
    compiled = re.compile(pattern)

    def match(text: str) -> re.Match[str]:
        found = compiled.fullmatch(text)
        if found is None:
            raise FormError
        return found

    return match


# --- Numbers ------------------------------------------------------------------------------------

_integer = _matcher(r"0|[1-9][0-9]{0,17}")
_decimal = _matcher(r"(?=.{1,30}$)[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]{1,2})?")
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


def _integer_within(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(_integer(text).group())
        if not low <= number <= high:
            raise FormError
        return number

    return read


def _scaled(text: str, units: Mapping[str, int] | Mapping[str, str]) -> Decimal:
    found = _quantity(text)
    unit = units.get(found[2].lower())
    if unit is None:
        raise FormError
    return Decimal(found[1]) * Decimal(unit)


def _size(text: str) -> int:
    size = _scaled(text, SIZES)
    if size < 1 or size != int(size):
        raise FormError
    return int(size)


def _seconds(text: str) -> float:
    return float(_scaled(text, SECONDS))


def _positive_seconds(text: str) -> float:
    if not (seconds := _seconds(text)):
        raise FormError
    return seconds


def _price(text: str) -> Decimal:
    price = Decimal(_decimal(text).group())
    if price > 1_000_000:
        raise FormError
    return price


def _flag(text: str) -> bool:
    lowered = text.lower()
    if lowered not in TRUE | FALSE:
        raise FormError
    return lowered in TRUE


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
        raise FormError
    return text


def _key(text: str) -> Secret:
    """Keys travel in headers, and those from files often end in a line break."""
    return Secret(_printable(text.strip()).group())


def _key_or_none(text: str) -> Secret:
    """An empty key is how ``${NAME:-}`` says that there is none."""
    return _key(text) if text.strip() else Secret()


def _secret(text: str) -> Secret:
    """Whatever it may be, a password with spaces too; one from a file may end in a line break."""
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
    """A field name as of RFC 9110 section 5.1, but for those that the transport sets."""
    name = _token(text).group()
    if name.lower() in OWN_HEADERS:
        raise FormError("is set by the gateway itself; remove it")
    return name


# --- Addresses ----------------------------------------------------------------------------------


def _split(text: str, schemes: tuple[str, ...]) -> SplitResult:
    _printable(text)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise FormError from None
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise FormError
    return parts


def _url(text: str) -> str:
    """What the transport can call, by the same function that it calls it with."""
    if "@" in text.partition("?")[0]:
        raise FormError("must hold no user or password: use api_key or headers for that")
    if "#" in text:
        raise FormError("must have no fragment (#...), which is never sent")
    try:
        join(text)
    except ValueError:
        raise FormError from None
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
        raise FormError
    return text.lower()


def _ledger_path(text: str) -> str:
    """The path in a ledger's URL, relative or absolute."""
    if not text.startswith("sqlite:"):
        raise FormError("must be sqlite:///path: other databases are not supported yet")
    scheme, _, path = text.partition(":///")
    if scheme != "sqlite" or not path.strip("/") or path == ":memory:" or "?" in path:
        raise FormError
    return path


INTEGER_TAGS = frozenset({"int"})
PORT = Form("a port from 0 to 65535", _integer_within(0, 65535), INTEGER_TAGS)
COUNT = Form("a whole number from 1 to 1024", _integer_within(1, 1024), INTEGER_TAGS)
SIZE = Form("a number of bytes, or a size such as 32MB or 32MiB", _size, NUMERIC)
DURATION = Form("a number of seconds, or a duration such as 500ms, 30s or 2m", _seconds, NUMERIC)
TIMEOUT = Form(
    "more than 0 seconds: a number, or such as 500ms, 30s or 2m", _positive_seconds, NUMERIC
)
PRICE = Form("dollars per million tokens, a number from 0 to 1000000", _price, NUMERIC)
FLAG = Form("true or false", _flag, frozenset({"bool"}))
TEXT = Form("text", _text)
KEY = Form("a key: text without spaces or line breaks", _key)
OPTIONAL_KEY = Form("a key: text without spaces or line breaks", _key_or_none)
SECRET = Form("a secret: text", _secret)
NAME = Form("a name of letters, digits, dots, dashes and underscores", lambda t: _name(t).group())
HOST = Form("an IP address or a host name", _host)
HEADER_NAME = Form("the name of an HTTP header", _header_name)
HEADER_VALUE = Form("text in one line", lambda text: Secret(_field_value(text).group()))
URL = Form("a URL such as https://host/v1 or unix:/path/of.sock", _url)
PROXY = Form("the URL of a proxy such as http://host:3128, or empty for none", _proxy)
ORIGIN = Form("an origin such as https://example.org, or *", _origin)
LEDGER_URL = Form("sqlite:///relative/path or sqlite:////absolute/path", _ledger_path)

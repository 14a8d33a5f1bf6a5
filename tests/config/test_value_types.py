from __future__ import annotations

from decimal import Decimal

import pytest

from headway.config import value_types
from headway.config.nodes import Scalar
from headway.config.value_types import InvalidValueError, ValueType, is_loopback, value_of
from support.for_each import for_each

CASES: list[tuple[ValueType, dict[str, object], list[str]]] = [
    (
        value_types.PORT,
        {"0": 0, "1": 1, "65535": 65535},
        ["65536", "-1", "080", "0x50", "8_0", "1:20", "1.0", "", "9" * 19, "\u0661"],
    ),
    (value_types.COUNT, {"1": 1, "1024": 1024}, ["0", "1025", "two"]),
    (
        value_types.SIZE,
        {
            "1": 1,
            "32MB": 32_000_000,
            "32 MiB": 32 * 2**20,
            "1.5kib": 1536,
            "2gb": 2_000_000_000,
            "1GiB": 2**30,
            "10b": 10,
            "1kb": 1000,
        },
        ["0", "1.5", "MB", "32 M", "-1", "1e3", "1 2", ""],
    ),
    (
        value_types.DURATION,
        {"0": 0.0, "30": 30.0, "2.5": 2.5, "500ms": 0.5, "30s": 30.0, "2 m": 120.0, "1H": 3600.0},
        ["-1", "s", "1d", "1e3", "inf", "nan", "1m30s", ""],
    ),
    (value_types.TIMEOUT, {"0.1": 0.1, "1ms": 0.001}, ["0", "0s", "0.0", "none"]),
    (
        value_types.PRICE,
        {
            "0": Decimal(0),
            "0.1": Decimal("0.1"),
            ".15": Decimal("0.15"),
            "15": Decimal(15),
            "1e-7": Decimal("0.0000001"),
            "2.50": Decimal("2.50"),
            "1000000": Decimal(1000000),
        },
        ["-1", "1000000.1", "1e99", "1e999999999", ".", "nan", "inf", "1_000", "$1", "1" * 31, ""],
    ),
    (
        value_types.FLAG,
        {"true": True, "False": False, "ON": True, "off": False, "yes": True, "no": False},
        ["1", "0", "y", "", "maybe"],
    ),
    (value_types.TEXT, {"a b": "a b", "ü": "ü"}, ["", "  ", "a\0b"]),
    (
        value_types.KEY,
        {"sk-1": "sk-1", " sk-1\n": "sk-1"},
        ["", " ", "a b", "a\nb", "schlüssel", "\x7f"],
    ),
    (value_types.OPTIONAL_KEY, {"": "", " ": "", "k": "k"}, ["a b"]),
    (
        value_types.NAME,
        {"gpu-1": "gpu-1", "A.b_c": "A.b_c", "4": "4"},
        ["", "a/b", "-a", ".a", "a b", "ä", "a" * 65, "a\n"],
    ),
    (
        value_types.HOST,
        {
            "127.0.0.1": "127.0.0.1",
            "::": "::",
            "[::1]": "::1",
            "gateway.local": "gateway.local",
            "localhost": "localhost",
        },
        ["", "a b", "http://x", "a:80", "[::1]:80", "[a", "-a", "a/b"],
    ),
    (
        value_types.URL,
        {
            "https://host/v1": "https://host/v1",
            "http://host:8000/": "http://host:8000",
            "http://[::1]:8000/v1//": "http://[::1]:8000/v1",
            "https://host/v1?api-version=1": "https://host/v1?api-version=1",
            "unix:/run/m.sock": "unix:/run/m.sock",
        },
        ["", "host/v1", "ftp://host", "http://", "http://a b", "http://h:99999", "http://h:x"],
    ),
    (
        value_types.PROXY,
        {"": "", "http://p:3128/": "http://p:3128", "https://u:s@p": "https://u:s@p"},
        [
            "p:3128",
            "socks5://p",
            "http://",
            "http://p:0",
            "http://p:x",
            "http://a b",
            "http://[::1",
        ],
    ),
    (
        value_types.ORIGIN,
        {"*": "*", "https://App.example:8443": "https://app.example:8443"},
        ["app.example", "https://a/", "https://a/b", "https://u@a", "null", "", "https://a b"],
    ),
    (
        value_types.LEDGER_URL,
        {
            "sqlite:///h.db": "sqlite:///h.db",
            "postgres://u:p@h:5432/d": "postgresql://u:p@h:5432/d",
            "postgresql:///d?host=/run/postgresql": "postgresql:///d?host=/run/postgresql",
        },
        [
            "mysql://h/d",
            "postgresql://h",
            "postgresql:///d",
            "postgresql://h:port/d",
            "sqlite://",
            "sqlite:///",
            "sqlite:////",
            "sqlite:///:memory:",
            "sqlite://h/x",
            "sqlite:h",
        ],
    ),
    (value_types.AGE, {"12h": 43200.0, "90d": 7776000.0, "1w": 604800.0}, ["90", "0d", "2m", "d"]),
    (
        value_types.ARCHIVE,
        {"/var/a": "/var/a", "a": "a", "s3://b/p": "s3://b/p"},
        ["s3://", "gs://b", ""],
    ),
    (value_types.FUNCTION, {"a.b:c": "a.b:c"}, ["a", "a:", ":c", "a:b:c", "a b:c", "1a:b"]),
    (
        value_types.HEADER_NAME,
        {"X-Team": "X-Team"},
        ["", "a b", "a:", "ä", "Host", "content-length"],
    ),
    (value_types.HEADER_VALUE, {"": "", "a b\t~": "a b\t~", "é": "é"}, ["a\nb", "a\r", "\0", "€"]),
]


@for_each(
    ("form", "text", "value"), [(form, *item) for form, good, _ in CASES for item in good.items()]
)
def test_a_value_type_reads_valid_texts(form: ValueType, text: str, value: object) -> None:
    read = value_of(form, Scalar(text, expanded=True))
    assert read == value
    if isinstance(value, float | int | bool):
        assert type(read) is type(value)


@for_each(("form", "text"), [(form, text) for form, _, bad in CASES for text in bad])
def test_a_value_type_refuses_other_texts_and_describes_valid_ones(
    form: ValueType, text: str
) -> None:
    with pytest.raises(InvalidValueError) as error:
        value_of(form, Scalar(text, expanded=True))
    assert str(error.value)


@pytest.mark.parametrize(
    ("form", "text", "message"),
    [
        (value_types.URL, "https://user:planted@host", "must hold no user or password"),
        (value_types.URL, "https://host/#planted", "must have no fragment"),
        (
            value_types.LEDGER_URL,
            "mysql://u:planted@h/d",
            "must begin with sqlite:/// or postgresql://",
        ),
        (value_types.LEDGER_URL, "sqlite:///planted?x=1", "must be sqlite:///relative/path"),
        (value_types.HEADER_NAME, "Host", "is set by the gateway itself; remove it"),
        (value_types.PORT, "planted", "must be a port from 0 to 65535"),
    ],
)
def test_a_refusal_gives_the_reason_without_quoting_the_value(
    form: ValueType, text: str, message: str
) -> None:
    with pytest.raises(InvalidValueError) as error:
        value_of(form, Scalar(text, expanded=True))
    assert message in str(error.value)
    assert "planted" not in str(error.value)


@pytest.mark.parametrize(
    ("form", "text"),
    [(value_types.PORT, "9000"), (value_types.COUNT, "2"), (value_types.FLAG, "true")],
)
def test_a_number_or_flag_in_quotes_is_told_so(form: ValueType, text: str) -> None:
    with pytest.raises(InvalidValueError, match=r"^must be .*; remove the quotes around it$"):
        value_of(form, Scalar(text))
    with pytest.raises(InvalidValueError, match=rf"^must be {form.description}$"):
        value_of(form, Scalar("planted"))


@for_each(
    ("form", "tag", "accepted"),
    [
        (value_types.TEXT, "str", True),
        (value_types.TEXT, "timestamp", True),
        (value_types.TEXT, "int", False),
        (value_types.TEXT, "bool", False),
        (value_types.KEY, "int", False),
        (value_types.KEY, "float", False),
        (value_types.PORT, "int", True),
        (value_types.PORT, "str", False),
        (value_types.PRICE, "float", True),
        (value_types.PRICE, "str", True),
        (value_types.PRICE, "bool", False),
        (value_types.FLAG, "str", False),
        (value_types.SIZE, "int", True),
        (value_types.SIZE, "str", True),
    ],
)
def test_the_yaml_type_of_a_text_must_fit(form: ValueType, tag: str, accepted: bool) -> None:
    scalar = Scalar("true" if form is value_types.FLAG else "12", tag=tag)
    if accepted:
        value_of(form, scalar)
        return
    with pytest.raises(
        InvalidValueError,
        match=r"^must be .*quotes$" if form.tags is value_types.TEXTUAL else "^must",
    ):
        value_of(form, scalar)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST"])
def test_loopback_is_what_only_this_machine_reaches(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "localhost.example", "127.0.0.1.nip"]
)
def test_all_else_counts_as_reachable(host: str) -> None:
    assert not is_loopback(host)

from __future__ import annotations

from decimal import Decimal

import pytest

from headway.config import forms
from headway.config.forms import Form, FormError, is_loopback, value_of
from headway.config.nodes import Scalar

CASES: list[tuple[Form, dict[str, object], list[str]]] = [
    (
        forms.PORT,
        {"0": 0, "1": 1, "65535": 65535},
        ["65536", "-1", "080", "0x50", "8_0", "1:20", "1.0", "", "9" * 19, "\u0661"],
    ),
    (forms.COUNT, {"1": 1, "1024": 1024}, ["0", "1025", "two"]),
    (
        forms.SIZE,
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
        forms.DURATION,
        {"0": 0.0, "30": 30.0, "2.5": 2.5, "500ms": 0.5, "30s": 30.0, "2 m": 120.0, "1H": 3600.0},
        ["-1", "s", "1d", "1e3", "inf", "nan", "1m30s", ""],
    ),
    (forms.TIMEOUT, {"0.1": 0.1, "1ms": 0.001}, ["0", "0s", "0.0", "none"]),
    (
        forms.PRICE,
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
        forms.FLAG,
        {"true": True, "False": False, "ON": True, "off": False, "yes": True, "no": False},
        ["1", "0", "y", "", "maybe"],
    ),
    (forms.TEXT, {"a b": "a b", "ü": "ü"}, ["", "  ", "a\0b"]),
    (forms.KEY, {"sk-1": "sk-1", " sk-1\n": "sk-1"}, ["", " ", "a b", "a\nb", "schlüssel", "\x7f"]),
    (forms.OPTIONAL_KEY, {"": "", " ": "", "k": "k"}, ["a b"]),
    (
        forms.NAME,
        {"gpu-1": "gpu-1", "A.b_c": "A.b_c", "4": "4"},
        ["", "a/b", "-a", ".a", "a b", "ä", "a" * 65, "a\n"],
    ),
    (
        forms.HOST,
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
        forms.URL,
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
        forms.PROXY,
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
        forms.ORIGIN,
        {"*": "*", "https://App.example:8443": "https://app.example:8443"},
        ["app.example", "https://a/", "https://a/b", "https://u@a", "null", "", "https://a b"],
    ),
    (
        forms.LEDGER_URL,
        {"sqlite:///h.db": "h.db", "sqlite:////var/h.db": "/var/h.db", "sqlite:///~/h": "~/h"},
        [
            "sqlite://",
            "sqlite:///",
            "sqlite:////",
            "sqlite:///:memory:",
            "sqlite://h/x",
            "sqlite:h",
        ],
    ),
    (forms.HEADER_NAME, {"X-Team": "X-Team"}, ["", "a b", "a:", "ä", "Host", "content-length"]),
    (forms.HEADER_VALUE, {"": "", "a b\t~": "a b\t~", "é": "é"}, ["a\nb", "a\r", "\0", "€"]),
]


@pytest.mark.parametrize(
    ("form", "text", "value"), [(form, *item) for form, good, _ in CASES for item in good.items()]
)
def test_a_form_reads_what_has_it(form: Form, text: str, value: object) -> None:
    read = value_of(form, Scalar(text, expanded=True))
    assert read == value
    if isinstance(value, float | int | bool):
        assert type(read) is type(value)


@pytest.mark.parametrize(("form", "text"), [(form, text) for form, _, bad in CASES for text in bad])
def test_a_form_refuses_all_else_and_says_what_would_be_right(form: Form, text: str) -> None:
    with pytest.raises(FormError) as error:
        value_of(form, Scalar(text, expanded=True))
    assert str(error.value)


@pytest.mark.parametrize(
    ("form", "text", "message"),
    [
        (forms.URL, "https://user:planted@host", "must hold no user or password"),
        (forms.URL, "https://host/#planted", "must have no fragment"),
        (forms.LEDGER_URL, "postgres://u:planted@h/d", "other databases are not supported yet"),
        (forms.LEDGER_URL, "sqlite:///planted?x=1", "must be sqlite:///relative/path"),
        (forms.HEADER_NAME, "Host", "is set by the gateway itself; remove it"),
        (forms.PORT, "planted", "must be a port from 0 to 65535"),
    ],
)
def test_a_refusal_says_why_and_not_what(form: Form, text: str, message: str) -> None:
    with pytest.raises(FormError) as error:
        value_of(form, Scalar(text, expanded=True))
    assert message in str(error.value)
    assert "planted" not in str(error.value)


@pytest.mark.parametrize(
    ("form", "tag", "accepted"),
    [
        (forms.TEXT, "str", True),
        (forms.TEXT, "timestamp", True),
        (forms.TEXT, "int", False),
        (forms.TEXT, "bool", False),
        (forms.KEY, "int", False),
        (forms.KEY, "float", False),
        (forms.PORT, "int", True),
        (forms.PORT, "str", False),
        (forms.PRICE, "float", True),
        (forms.PRICE, "str", True),
        (forms.PRICE, "bool", False),
        (forms.FLAG, "str", False),
        (forms.SIZE, "int", True),
        (forms.SIZE, "str", True),
    ],
)
def test_what_yaml_takes_the_text_for_must_fit(form: Form, tag: str, accepted: bool) -> None:
    scalar = Scalar("true" if form is forms.FLAG else "12", tag=tag)
    if accepted:
        value_of(form, scalar)
        return
    with pytest.raises(
        FormError, match=r"^must be .*quotes$" if form.tags is forms.TEXTUAL else "^must"
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

"""Files that are no configuration, or hold what the file's form forbids."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway.config import ConfigError, load
from support.for_each import for_each

LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


@for_each(
    ("data", "line"),
    [
        (b"server:\n\tport: 1", "2: not YAML: a tab stands where only spaces may; indent with"),
        (b"server: {port: 1", "1: not YAML: "),
        (b"a: b: c", "1: not YAML: mapping values are not allowed here; mend this line"),
        (b"server:\n  host: 'x\n", "3: not YAML: found unexpected end of stream"),
        (b"server: *nowhere", "1: not YAML: found undefined alias; mend"),
        (b"{}\n---\n{}\n", "2: holds more than one YAML document; keep one"),
        (b"server:\n  host: \xff\n", "2: is not UTF-8"),
        ("server: {}".encode("utf-16"), "1: is not UTF-8"),
        (b"server:\n  host: \x00\n", "2: holds a control character; remove it"),
        (LAUGHS.encode(), " unfolds into far too much: write its aliases out"),
        (b"server: &s {host: *s}", "1: is nested too deeply"),
        (b"server: " + b"[" * 30 + b"]" * 30, "1: is nested too deeply"),
        (b"[" * 3000, " is nested too deeply"),
        (b"#" * (1024 * 1024 + 1), " is larger than 1 MiB"),
        (b"server: !!python/name:os.system x", "1: server: must be a mapping with keys such as"),
        (b"- server", "1: must be a mapping with keys such as server, providers"),
        (b"just text", "1: must be a mapping with keys such as server, providers"),
        (b"? [a]\n: b", "1: a key must be plain text"),
        (b"x: &x {port: 1}\nserver: {<<: *x}", "2: server: merge keys (<<) are not understood"),
        (
            b"server:\n  port: 1\n  port: 2",
            "3: server: the key port is given twice, first in line 2",
        ),
        (
            b"server: {}\nledger: {}\nserver: {}",
            "3: the key server is given twice, first in line 1",
        ),
    ],
)
def test_an_invalid_configuration_is_refused_with_its_line(refused, data: bytes, line: str) -> None:
    problems = refused(data)
    assert any(problem.startswith(f"headway.yaml:{line}") for problem in problems), problems


def test_a_million_bytes_of_nothing_are_a_configuration(read) -> None:
    assert read(b"#" * (1024 * 1024)).providers


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: is a directory; name a readable file"):
        load(tmp_path, {}, {})


def test_aliases_repeat_what_they_name(read) -> None:
    config = read(
        "timeouts: &t {idle: 7}\nproviders: {vendor: {timeouts: *t}, here: {timeouts: *t}}"
    )
    assert config.providers["vendor"].timeouts.idle == 7.0
    assert config.providers["here"].timeouts.idle == 7.0


# --- Variables ----------------------------------------------------------------------------------


@for_each(
    ("text", "value"),
    [
        ("${NAME}", "value"),
        ("a-${NAME}-${NAME}-b", "a-value-value-b"),
        ("${NOT_SET:-other}", "other"),
        ("${NOT_SET:-http://x:1/y}", "http://x:1/y"),
        ("${EMPTY:-other}", "other"),
        ("x${NOT_SET:-}", "x"),
        ("${NAME:-other}", "value"),
        ("$${NAME}", "${NAME}"),
        ("$NAME $ $$ {NAME}", "$NAME $ $$ {NAME}"),
        ("${HOLDS_REFERENCE}", "${NAME}"),
    ],
)
def test_variables_are_filled_in_once(read, text: str, value: str) -> None:
    environ = {"NAME": "value", "EMPTY": "", "HOLDS_REFERENCE": "${NAME}"}
    config = read(f"providers: {{vendor: {{headers: {{X: '{text}'}}}}}}", **environ)
    assert config.providers["vendor"].headers["X"] == value


OTHER_SPELLINGS = (
    *("$NAME", "%NAME%", "$(NAME)", "{{ NAME }}", "{NAME}", "{{ env.NAME }}", "$env:NAME"),
    *("env:NAME", "env.NAME", "process.env.NAME", "os.environ/NAME", "os.environ.NAME", "ENV NAME"),
)


@pytest.mark.parametrize("text", ["$name", "$2b$10$abc", "%abc%", "a%NAME%", "env:1", "{}", "env:"])
def test_a_password_that_looks_like_a_variable_is_one(read, text: str) -> None:
    config = read(f"providers: {{vendor: {{headers: {{X: '{text}'}}}}}}")
    assert config.providers["vendor"].headers["X"] == text


@for_each(
    ("text", "message"),
    [
        *((text, "a variable is written ${NAME}, in braces") for text in OTHER_SPELLINGS),
        ("${NOT_SET}", "variable NOT_SET is not set: set it, or write ${NOT_SET:-default}"),
        ("${EMPTY}", "variable EMPTY is not set"),
        ("${}", "not a variable: write ${NAME}"),
        ("${sk-planted}", "not a variable: write ${NAME}"),
        ("${OPEN", "not a variable: write ${NAME}"),
        ("${NAME-default}", "not a variable: write ${NAME}"),
    ],
)
def test_a_variable_that_is_not_there_is_a_problem_and_not_empty(
    refused, text: str, message: str
) -> None:
    problems = refused(f"providers:\n  vendor:\n    api_key: '{text}'", NAME="x", EMPTY="")
    assert len(problems) == 1
    assert problems[0].startswith("headway.yaml:3: providers.vendor.api_key: ")
    assert message in problems[0]
    assert "sk-planted" not in problems[0]


def test_a_variable_may_hold_a_number_a_flag_or_a_size(read) -> None:
    server = read(
        "server: {port: '${PORT}', insecure: '${YES}', body_limit: '${SIZE}', host: '${H:-::1}'}",
        PORT="81",
        YES="true",
        SIZE="1MiB",
    ).server
    assert (server.port, server.insecure, server.body_limit) == (81, True, 1024 * 1024)
    assert server.host == "::1"


def test_a_key_of_digits_from_a_variable_is_still_a_key(read) -> None:
    config = read("providers:\n  vendor:\n    api_key: ${DIGITS}", DIGITS="0123")
    assert config.providers["vendor"].api_key == "0123"


def test_variables_in_names_stay_as_they_are(read) -> None:
    config = read("prices: {vendor: {'${NAME}': {input: 1}}}", NAME="x")
    assert list(config.prices["vendor"]) == ["${NAME}"]

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Raw

from headway.errors import InvalidField
from headway.providers.parameters import check, write_whole_numbers
from headway.types import Parameter
from support.for_each import for_each

SPECS = (
    Parameter(id="heat", name="Heat", type="float", min=0, max=2),
    Parameter(id="count", name="Count", type="integer", min=1),
    Parameter(id="ceiling", name="Ceiling", type="integer", max=9),
    Parameter(id="mood", name="Mood", type="string"),
    Parameter(id="flag", name="Flag", type="boolean"),
    Parameter(id="stops", name="Stops", type="array"),
    Parameter(id="bias", name="Bias", type="object"),
)

FINE: list[tuple[str, bytes]] = [
    ("heat", b"0"),
    ("heat", b"2"),
    ("heat", b"0.7"),
    ("heat", b"null"),
    ("count", b"1"),
    ("count", b"100000000000000000000"),
    ("ceiling", b"-3"),
    ("mood", b'""'),
    ("flag", b"false"),
    ("stops", b"[]"),
    ("bias", b"{}"),
    ("unknown", b'{"any":"thing"}'),
]


@for_each(("name", "value"), FINE)
def test_a_value_of_the_declared_type_is_accepted(name: str, value: bytes) -> None:
    check(SPECS, {name: Raw(value)})


LONG = b'"' + b"x" * 99 + b'"'

# parameter, value, what the caller is told
WRONG: list[tuple[str, bytes, str]] = [
    ("heat", b"2.1", "`heat` must be a number from 0 to 2; it is 2.1."),
    ("heat", b"-0.1", "`heat` must be a number from 0 to 2; it is -0.1."),
    ("heat", b'"1"', '`heat` must be a number from 0 to 2; it is "1".'),
    ("heat", b"true", "`heat` must be a number from 0 to 2; it is true."),
    ("count", b"0", "`count` must be a whole number of at least 1; it is 0."),
    ("count", b"1.5", "`count` must be a whole number of at least 1; it is 1.5."),
    ("count", b"false", "`count` must be a whole number of at least 1; it is false."),
    ("ceiling", b"10", "`ceiling` must be a whole number; it is 10."),
    ("mood", b"7", "`mood` must be of type string; it is 7."),
    ("flag", b"0", "`flag` must be of type boolean; it is 0."),
    ("stops", b"{}", "`stops` must be of type array; it is {}."),
    ("bias", b"[]", "`bias` must be of type object; it is []."),
    (
        "flag",
        b'"' + b"x" * 99 + b'"',
        '`flag` must be of type boolean; it is "' + "x" * 56 + "....",
    ),
]


@for_each(("name", "value", "message"), WRONG)
def test_a_value_of_another_type_is_rejected_by_name(name: str, value: bytes, message: str) -> None:
    given: dict[str, Any] = {"unknown": Raw(b"1"), name: Raw(value)}
    with pytest.raises(InvalidField) as caught:
        check(SPECS, given)
    assert caught.value.message == message
    assert caught.value.param == name


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("heat", b"1e999", "`heat` must be a number from 0 to 2."),
        ("count", b"9" * 5000, "`count` must be a whole number of at least 1."),
        ("stops", b"[" * 100_000 + b"]" * 100_000, "`stops` must be of type array."),
    ],
    ids=["too large", "too many digits", "too deep"],
)
def test_json_that_python_cannot_hold_is_rejected(name: str, value: bytes, message: str) -> None:
    with pytest.raises(InvalidField) as caught:
        check(SPECS, {name: Raw(value)})
    assert (caught.value.message, caught.value.param) == (message, name)


def test_a_whole_number_written_as_a_float_is_an_integer() -> None:
    specs = (
        Parameter(id="max_tokens", name="Max tokens", type="integer", min=1, max=1000),
        Parameter(id="temperature", name="Temperature", type="float"),
    )
    given = {"max_tokens": Raw(b"1e2"), "temperature": Raw(b"1.0"), "other": Raw(b"3.0")}
    assert check(specs, given) == {**given, "max_tokens": Raw(b"100")}
    unchanged = {"max_tokens": Raw(b"100"), "temperature": Raw(b"1")}
    assert check(specs, unchanged) is unchanged


@pytest.mark.parametrize("value", [b"100.5", b"1001.0", b"0.0", b"-1e2"])
def test_a_float_that_is_not_whole_or_out_of_range_is_rejected(value: bytes) -> None:
    specs = (Parameter(id="max_tokens", name="Max tokens", type="integer", min=1, max=1000),)
    with pytest.raises(InvalidField, match="`max_tokens` must be a whole number from 1 to 1000"):
        check(specs, {"max_tokens": Raw(value)})


WHOLE_NUMBERS = (
    "max_tokens max_completion_tokens max_output_tokens min_tokens n best_of seed random_seed top_k"
    " top_logprobs dimensions num_ctx num_predict thinking_budget"
)


@for_each(
    ("value", "expected"),
    [
        (b"100.0", b"100"),
        (b"1e2", b"100"),
        (b"1E2", b"100"),
        (b"-7.0", b"-7"),
        *((text, text) for text in (b"100", b"1.5", b"1e30", b"1e999", b"true", b"null")),
        *((text, text) for text in (b'"1.0"', b"[1.0]")),
    ],
)
@for_each("name", WHOLE_NUMBERS.split())
def test_whole_numbers_are_written_as_integers(name: str, value: bytes, expected: bytes) -> None:
    given = {name: Raw(value), "temperature": Raw(b"1.0")}
    found = write_whole_numbers(given)
    assert found == {**given, name: Raw(expected)}
    assert (found is given) == (value == expected)

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest

from headway.routing import cel
from headway.routing.cel import MAX_LENGTH, NO_LIBRARY, SAMPLE, VARIABLES, compile_cel, find_fault
from headway.routing.routed_request import RoutedRequest
from support.for_each import for_each

REQUEST = RoutedRequest(
    model="smart",
    dialect="openai",
    headers={"x-team": "red"},
    tags=("vip",),
    key_id="1a2b3c4d",
    user="ann",
    session_id="s-1",
    stream=True,
    input_tokens=100,
    max_output_tokens=50,
    needs=frozenset({"tools"}),
    now=datetime(2026, 11, 28, 8, 30, tzinfo=UTC).timestamp(),
    budget_left_usd=2.5,
)

# condition, what it reads
TRUE: list[tuple[str, str]] = [
    ("true", ""),
    ('tokens < 8000 && !("images" in needs)', "input_tokens needs"),
    ('headers["x-team"] == "red"', "headers"),
    ('has(headers.missing) || "vip" in tags', "headers tags"),
    ('model.startsWith("sm") && dialect == "openai"', "dialect model"),
    ('key == "1a2b3c4d" && user.matches("^a") && session != ""', "key_id session_id user"),
    ("stream && max_tokens <= 50", "max_output_tokens stream"),
    ("budget_left > 2.0", "budget_left_usd"),
    ('now.getHours() == 8 && now.getHours("Asia/Tokyo") == 17', "now"),
    ("now.getDayOfWeek() == 6", "now"),
    ('tags.exists(tag, tag == "vip")', "tags"),
    ('user == "tokens" || user == \'needs \\\' model\' || user == "ann"', "user"),
]


@for_each(("text", "reads"), TRUE)
def test_a_condition_reads_the_request(text: str, reads: str) -> None:
    condition = compile_cel(text)
    assert condition.unmet(REQUEST) is None
    assert condition.text == text
    assert sorted(condition.reads) == reads.split()


# condition, what of it does not hold
FALSE: list[tuple[str, str]] = [
    ("tokens > 100", "tokens > 100"),
    ('headers["x-a"] == "b"', 'headers["x-a"] == "b" (Key not found in map : "x-a")'),
    ("max_tokens < 5 && stream", "max_tokens < 5 && stream"),
]


@for_each(("text", "unmet"), FALSE)
def test_a_condition_that_does_not_hold_says_why(text: str, unmet: str) -> None:
    assert compile_cel(text).unmet(REQUEST) == unmet


EMPTY = RoutedRequest(model="smart", dialect="openai")


@for_each("name", ["budget_left > 0.0", "max_tokens > 0", "!(budget_left < 0.0)"])
def test_a_value_that_is_missing_makes_a_condition_false(name: str) -> None:
    unmet = compile_cel(name).unmet(EMPTY)
    assert unmet is not None
    assert "No value with name" in unmet


def test_a_condition_that_takes_too_long_is_false() -> None:
    condition = compile_cel(
        'tags.exists(a, tags.exists(b, tags.exists(c, tags.exists(d, a+b+c+d == "zz"))))'
    )
    many = RoutedRequest(model="m", dialect="openai", tags=tuple(map(str, range(20))))
    unmet = condition.unmet(many)
    assert unmet is not None
    assert "budget" in unmet


KNOWN = ", ".join(VARIABLES)
# condition, what is wrong with it
WRONG: list[tuple[str, str]] = [
    ("tokens <", "column 9: the expression ends too early"),
    ("[1, 2", "column 6: the expression ends too early"),
    ("tokens < 8000 &&& stream", "column 17: this is no CEL"),
    ("tokens < 8000\n && ) stream", "line 2, column 5: this is no CEL"),
    ('tokens < "a"', "column 8: no matching operation for '_<_' applied to '(int, string)'"),
    ("tokens == 3.0", "column 8: no matching operation for '_==_' applied to '(int, double)'"),
    ("secret_key_1 == 5", f"column 1: no such name; known: {KNOWN}"),
    ("user.lower() == 'a'", f"column 11: no such name; known: {KNOWN}"),
    ("model.exists(x, true)", "column 1: expression of type 'string' cannot be the range of a "
        "comprehension (must be list, map, or dynamic)"),
    ("tokens + 1", "gives no true or false: compare the value with another"),
    ('user.matches("[secret")', "cannot be evaluated: invalid regular expression"),
    ('now.getHours("Secret/X") < 1', "cannot be evaluated: invalid timezone"),
    ("(" * 300 + "true" + ")" * 300, "is nested too deeply"),
    ("true" + " " * MAX_LENGTH, "is longer than 2000 characters; write several targets"),
]  # fmt: skip


@for_each(("text", "fault"), WRONG)
def test_a_wrong_condition_is_found_before_any_request(text: str, fault: str) -> None:
    assert find_fault(text) == fault


def test_a_right_condition_has_no_fault() -> None:
    assert find_fault("tokens < 5") is None


def test_every_variable_is_a_field_of_the_request_and_of_the_sample() -> None:
    for name, variable in VARIABLES.items():
        assert variable.field in RoutedRequest.__struct_fields__
        assert getattr(SAMPLE, variable.field) is not None, name


def test_without_the_library_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cel._environment.cache_clear()
    monkeypatch.setitem(sys.modules, "cel_expr_python", None)
    assert find_fault("true") == NO_LIBRARY

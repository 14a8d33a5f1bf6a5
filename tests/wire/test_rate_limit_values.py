from __future__ import annotations

import pytest

from headway.wire.rate_limit_values import format_duration, format_time, read_count, read_reset

NOW = 1_700_000_000.0


def test_a_count_is_digits() -> None:
    for value, count in (
        (b"0", 0), (b" 5000 ", 5000), (b"9223372036854767616", 9223372036854767616),
        (b"", None), (b"-1", None), (b"1.5", None), (b"many", None), (b"9" * 20, None),
    ):  # fmt: skip
        assert read_count(value) == count, value


def test_a_reset_is_a_duration_a_number_or_a_time() -> None:
    for value, seconds in (
        (b"6m0s", 360.0), (b"26ms", 0.026), (b"1h27m50.4s", 5270.4), (b"0s", 0.0),
        (b"1d2h", 93600.0), (b"120us", 0.00012), (b"7.335s", 7.335),
        (b"2", 2.0), (b"0.5", 0.5),
        (b"1700000060", 60.0), (b"1700000060500", 60.5), (b"1600000000", 0.0),
        (b"2023-11-14T22:13:30Z", 10.0), (b"2023-11-14T22:13:10Z", 0.0),
        (b"2023-11-15T00:13:30+02:00", 10.0),
    ):  # fmt: skip
        assert read_reset(value, NOW) == pytest.approx(seconds), value


def test_anything_else_is_unknown() -> None:
    for value in (b"", b"soon", b"-1", b"6m 0s", b"1x", b"2023-11-14T22:13:30", b"\xff", b"s"):
        assert read_reset(value, NOW) is None, value


def test_a_number_without_a_unit_may_be_unknown() -> None:
    assert read_reset(b"500", NOW, has_unit=False) is None
    assert read_reset(b"500ms", NOW, has_unit=False) == 0.5
    assert read_reset(b"1700000060", NOW, has_unit=False) == 60


def test_a_duration_is_written_as_openai_does() -> None:
    for seconds, text in (
        (0.0, "0s"), (0.0001, "1ms"), (0.026, "26ms"), (0.9999, "1s"), (7.335, "7.335s"),
        (60, "1m0s"), (360, "6m0s"), (5270.4, "1h27m50.4s"), (90000, "25h0m0s"),
    ):  # fmt: skip
        assert format_duration(seconds) == text, seconds
        assert read_reset(text.encode(), NOW) == pytest.approx(seconds, abs=1e-3)


def test_a_time_is_rounded_up_to_a_second() -> None:
    assert format_time(NOW) == "2023-11-14T22:13:20Z"
    assert format_time(NOW + 0.001) == "2023-11-14T22:13:21Z"

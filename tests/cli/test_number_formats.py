from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from headway.cli import number_formats as numbers


def test_amounts_in_a_column_have_cents_or_three_digits() -> None:
    shown = {
        "1234.5": "$1,234.50",
        "0.056": "$0.0560",
        "0.0000615": "$0.0000615",
        "0": "$0",
    }
    assert {text: numbers.amount(Decimal(text)) for text in shown} == shown
    assert numbers.amount(None) == ""


def test_exact_amounts_keep_all_digits_and_at_least_the_cents() -> None:
    shown = {
        "0.00012345678901": "$0.00012345678901",
        "3": "$3.00",
        "0.1": "$0.10",
        "0.0560": "$0.056",
        "-0.5": "-$0.50",
        "1E-7": "$0.0000001",
    }
    assert {text: numbers.exact_amount(Decimal(text)) for text in shown} == shown


def test_times_are_exact_to_the_millisecond_below_a_hundred_seconds() -> None:
    shown = {
        0.0042: "4.2ms",
        0.412: "412ms",
        0.9996: "1.000s",
        1.0634: "1.063s",
        99.9994: "99.999s",
        133.2: "2m13s",
        5 * 3600 + 240: "5h04m",
        2 * 86400 + 3 * 3600: "2d3h",
    }
    assert {value: numbers.seconds(value) for value in shown} == shown
    assert numbers.seconds(None) == ""
    assert numbers.span(12.4) == "12s"


def test_counts_are_whole_up_to_ten_millions() -> None:
    shown = {None: "", 0: "0", 1204: "1,204", 9_999_999: "9,999,999", 12_345_678: "12.3M",
             4_200_000_000: "4.2G", 7 * 10**12: "7.0T"}  # fmt: skip
    assert {number: numbers.count(number) for number in shown} == shown


def test_quantities_of_a_bill_stay_exact() -> None:
    assert numbers.quantity("12000") == "12,000"
    assert numbers.quantity("1.25") == "1.25"


def test_sizes_and_shares() -> None:
    assert [numbers.size(n) for n in (412, 1200, 3_400_000)] == ["412 B", "1.2 kB", "3.4 MB"]
    assert numbers.percent(Decimal(1), Decimal(3)) == "33%"
    assert numbers.percent(Decimal(0), Decimal(0)) == ""


def test_the_time_of_a_call_is_as_short_as_its_age_allows() -> None:
    now = datetime(2026, 11, 29, 16, 12, 49).timestamp()
    assert numbers.clock_time(now, now) == "16:12:49"
    assert numbers.clock_time(now - 86400, now) == "Nov 28 16:12"
    assert numbers.clock_time(now - 300 * 86400, now) == "2026-02-02"
    assert numbers.full_time(now + 0.25).startswith("2026-11-29 16:12:49.250")


def test_only_nothing_is_on_the_ground_of_a_sparkline() -> None:
    assert numbers.sparkline([0, 0.001, 5, 10]) == "▁▂▅█"
    assert numbers.sparkline([0, 0]) == "▁▁"
    assert numbers.sparkline([]) == ""
    assert numbers.sparkline([0, 10], blocks=False) == "_#"


def test_bars_are_drawn_to_an_eighth_of_a_character_and_never_empty() -> None:
    assert numbers.bar(0, 1, 4) == "████"
    assert numbers.bar(0.5, 0.53125, 4) == "  ▏"
    assert numbers.bar(0.3, 0.55, 4) == " █"
    assert numbers.bar(1, 1, 4) == "   ▏"
    assert numbers.bar(0.5, 1, 4, blocks=False) == "  ##"
    assert numbers.bar(0, 0, 4, blocks=False) == "#"

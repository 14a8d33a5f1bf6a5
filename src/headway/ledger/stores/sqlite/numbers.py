"""The numbers of records: their times, so that they are stored in that order."""

from __future__ import annotations

EPOCH_US = 1_767_225_600_000_000
"""Unix microseconds of the record with number 0: the start of 2026, so that numbers have 6 bytes
until 2030."""
MAX_NUMBER = 2**62
SLACK = 1_000_000
"""By how much a record's number may be above that of its time."""


def number_of(time_us: int) -> int:
    """The number of a record that ended then, and of no other one in that microsecond: further ones
    get the next free numbers."""
    return max(-MAX_NUMBER, min(time_us - EPOCH_US, MAX_NUMBER))


def time_of(number: int) -> int:
    """Unix microseconds."""
    return number + EPOCH_US


def limit_number(time_s: float) -> int:
    """The number of the first record of that time."""
    return number_of(round(time_s * 1e6))

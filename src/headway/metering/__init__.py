"""Measurements of a response: times, tokens and cost. Pure: no clock, no I/O, no log."""

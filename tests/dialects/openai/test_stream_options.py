from __future__ import annotations

import pytest
from msgspec import Raw

from headway.dialects.openai.stream_options import take_metrics_option
from headway.errors import InvalidField


def test_the_option_is_taken_and_the_others_stay_as_they_are() -> None:
    for given, wants, left in (
        (None, False, None),
        (b"null", False, b"null"),
        (b'{"include_usage": true}', False, b'{"include_usage": true}'),
        (b'{"include_metrics": true}', True, None),
        (b'{"include_metrics": null}', False, None),
        (b'{"a": {"b" :1.0}, "include_metrics": true}', True, b'{"a":{"b" :1.0}}'),
        (b'["include_metrics"]', False, b'["include_metrics"]'),
        (b'{"a": "include_metrics"}', False, b'{"a":"include_metrics"}'),
    ):
        fields = {} if given is None else {"stream_options": Raw(given)}
        assert take_metrics_option(fields) is wants, given
        found = fields.get("stream_options")
        assert (None if found is None else bytes(found)) == left, given


def test_a_value_that_is_no_switch_is_refused() -> None:
    with pytest.raises(InvalidField, match="include_metrics") as caught:
        take_metrics_option({"stream_options": Raw(b'{"include_metrics": 1}')})
    assert caught.value.param == "stream_options.include_metrics"

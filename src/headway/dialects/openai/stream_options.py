"""``stream_options.include_metrics``: the gateway's own, beside OpenAI's ``include_usage``."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from headway.errors import InvalidField

NAME = "include_metrics"
PARAM = f"stream_options.{NAME}"
_MARK = NAME.encode()
_decode = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode
_decode_any = msgspec.json.Decoder().decode


def take_metrics_option(fields: dict[str, Raw]) -> bool:
    """Whether the client asks for an event of metrics. The option is removed, since providers
    refuse what they do not know. Raises InvalidField."""
    raw = fields.get("stream_options")
    if raw is None or _MARK not in bytes(raw):
        return False
    try:
        options = _decode(raw)
    except msgspec.ValidationError:
        return False  # no object: the provider's to refuse
    value: Any = _decode_any(options.pop(NAME, Raw(b"false")))
    if not isinstance(value, bool | None):
        raise InvalidField(f"`{PARAM}` must be true, false or null.", param=PARAM)
    if options:
        fields["stream_options"] = Raw(_encode(options))
    else:
        del fields["stream_options"]
    return bool(value)

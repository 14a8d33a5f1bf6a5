"""``python -m headway.token_counter.worker``: the process that loads a tokenizer and counts."""

from __future__ import annotations

import sys

import msgspec

from headway.token_counter.protocol import CountRequest, TokenCounts


def count(line: bytes) -> bytes:
    """The reply to one request; both are lines."""
    from headway.metering import tokens

    request = msgspec.json.decode(line, type=CountRequest)
    messages = msgspec.json.decode(request.messages)
    counted = TokenCounts(
        input=tokens.count_messages(messages, request.model).tokens,
        output=tokens.count(request.output, request.model).tokens,
    )
    return msgspec.json.encode(counted) + b"\n"


def main() -> None:
    """Reply to requests until standard input ends."""
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(count(line))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

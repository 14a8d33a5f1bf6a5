"""``POST /api/replay/{id}``: a kept request again, with other models, side by side."""

from __future__ import annotations

from msgspec import Raw

from headway.dialects.base import decode_object, field
from headway.errors import InvalidField
from headway.server.api.ledger_requests import Answer, Ledger, LedgerRequest, answer, find_call
from headway.server.replay import Replay, check_replay, run_replay

MODELS = field("models", list[str], "a list of names, each provider/model")
PARAMETERS = field("parameters", dict[str, Raw] | None, "an object or null")
NAMES = (MODELS.name, PARAMETERS.name)


def read_replay(body: bytes) -> Replay:
    """Raises InvalidBody, InvalidField, RequestError."""
    fields = decode_object(body)
    for name in fields:
        if name not in NAMES:
            known = " and ".join(f"`{each}`" for each in NAMES)
            raise InvalidField(f"`{name[:40]}` is no field here; there are {known}.", param=name)
    replay = Replay(tuple(MODELS.require(fields)), PARAMETERS.read(fields) or {})
    check_replay(replay)
    return replay


async def replay_call(ledger: Ledger, request: LedgerRequest) -> Answer:
    """Raises NotFound for a call that the key may not see, RequestError for one whose messages are
    not kept."""
    request.read(filters=())
    replay = read_replay(request.body)
    call = await find_call(ledger, request.argument, request.owner)
    conversation = await ledger.reader.ask(lambda store: store.conversation(call.id, request.owner))
    return answer(
        await run_replay(ledger.gateway, call, conversation, replay, request.headers, request.query)
    )

"""Content in PostgreSQL: the pieces and nodes of ``headway.ledger.content_chain``, each once a
month.

A conversation that goes on in the next month is stored again there, so that a month can be dropped
as a whole. Writing and deleting happen under the lock SHIP.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Raw

from headway.ledger.content_chain import (
    NO_RESPONSE,
    ROOT,
    Chain,
    Node,
    Piece,
    decompress,
    references_in,
    replace_parameter,
    restore,
    restore_parameters,
    split_if_possible,
)
from headway.ledger.store import Conversation, StoredReply
from headway.ledger.stores.postgresql.batch import fit_time, words_of
from headway.ledger.stores.postgresql.ids import clean, hash_of, key_of
from headway.ledger.stores.postgresql.partitions import month_of
from headway.record import Content

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection


def month_of_content(content: Content) -> int:
    return month_of(fit_time(content.timestamp))


async def add_contents(connection: Connection, contents: Iterable[Content]) -> None:
    """Content of a call that has some already is ignored."""
    by_month: dict[int, dict[bytes, Content]] = {}
    for content in contents:
        month = by_month.setdefault(month_of_content(content), {})
        month.setdefault(key_of(content.call_id), content)
    for number, found in sorted(by_month.items()):
        sql = "SELECT call_id FROM contents WHERE call_id = ANY($1::bytea[])"
        known = {row["call_id"] for row in await connection.fetch(sql, list(found))}
        new = {call: content for call, content in found.items() if call not in known}
        if new:
            await _add_month(connection, number, new)


async def _add_month(connection: Connection, month: int, contents: dict[bytes, Content]) -> None:
    split = {call: split_if_possible(content) for call, content in contents.items()}
    chains = {call: chain for call, chain in split.items() if chain is not None}
    contents = {call: contents[call] for call in chains}
    pieces = {piece.hash: piece for chain in chains.values() for piece in chain.pieces}
    nodes = {node.hash: node for chain in chains.values() for node in chain.nodes}
    await _add_pieces(connection, month, pieces)
    await _add_nodes(connection, month, nodes)
    await connection.executemany(
        "INSERT INTO contents VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
        "ON CONFLICT DO NOTHING",
        [_content_row(month, call, content, chains[call]) for call, content in contents.items()],
    )
    await connection.executemany(
        "INSERT INTO aliases VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        [
            (month, hash_of(alias), call, fit_time(content.timestamp))
            for call, content in contents.items()
            for alias in content.aliases
        ],
    )


def _content_row(month: int, call: bytes, content: Content, chain: Chain) -> tuple[Any, ...]:
    return (
        month, call, clean(content.call_id), fit_time(content.timestamp), content.key_id,
        clean(content.wire), content.mode, chain.head, list(chain.outputs), chain.parameters,
        chain.response, list(chain.refers),
    )  # fmt: skip


async def _add_pieces(connection: Connection, month: int, pieces: dict[bytes, Piece]) -> None:
    new = await _missing(connection, "pieces", month, pieces)
    rows = []
    for hash_ in new:
        piece = pieces[hash_]
        words = words_of(piece.text) if piece.text else None
        rows.append((month, hash_, piece.body, list(piece.refers) or None, words))
    await connection.executemany(
        "INSERT INTO pieces VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING", rows
    )


async def _add_nodes(connection: Connection, month: int, nodes: dict[bytes, Node]) -> None:
    new = await _missing(connection, "nodes", month, nodes)
    await connection.executemany(
        "INSERT INTO nodes VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        [(month, hash_, nodes[hash_].parent, nodes[hash_].message) for hash_ in new],
    )


async def _missing(
    connection: Connection, table: str, month: int, hashes: Iterable[bytes]
) -> list[bytes]:
    chosen = list(hashes)
    sql = f"SELECT hash FROM {table} WHERE month = $1 AND hash = ANY($2::bytea[])"
    known = {row["hash"] for row in await connection.fetch(sql, month, chosen)}
    return [hash_ for hash_ in chosen if hash_ not in known]


# --- Reading --------------------------------------------------------------------------------------

_FIND = """
SELECT 0 AS place, c.* FROM contents c
WHERE c.call_id = $1 AND ($3::text IS NULL OR c.key_id = $3)
UNION ALL
SELECT 1, c.* FROM aliases a JOIN contents c ON c.month = a.month AND c.call_id = a.call_id
WHERE a.hash = $2 AND ($3::text IS NULL OR c.key_id = $3)
ORDER BY place, time_us DESC, call_id DESC LIMIT 1
"""
_CHAIN = """
WITH RECURSIVE chain (depth, hash, parent, piece) AS (
  SELECT 0, hash, parent, piece FROM nodes WHERE month = $1 AND hash = $2
  UNION ALL
  SELECT depth + 1, n.hash, n.parent, n.piece
  FROM chain JOIN nodes n ON n.month = $1 AND n.hash = chain.parent
)
SELECT piece FROM chain ORDER BY depth DESC
"""
_OUTPUTS = """
SELECT n.piece FROM unnest($2::bytea[]) WITH ORDINALITY AS o (hash, place)
JOIN nodes n ON n.month = $1 AND n.hash = o.hash ORDER BY o.place
"""


async def find_content(connection: Connection, call_id: str, owner: str | None) -> Any:
    """The row of the content of a call, by its id or an alias; the newest of several."""
    return await connection.fetchrow(_FIND, key_of(call_id), hash_of(call_id), owner)


async def read_conversation(connection: Connection, row: Any) -> Conversation:
    month = row["month"]
    messages = [each["piece"] for each in await connection.fetch(_CHAIN, month, row["head"])]
    output = [each["piece"] for each in await connection.fetch(_OUTPUTS, month, row["outputs"])]
    bodies = await _read_pieces(connection, month, {*messages, *output, *row["refers"]})

    def restore_all(pieces: Sequence[bytes]) -> tuple[Raw, ...]:
        return tuple([Raw(restore(bodies[hash_], bodies.__getitem__)) for hash_ in pieces])

    return Conversation(
        call_id=row["call_text"],
        wire=row["wire"],
        mode=row["mode"],
        messages=restore_all(messages),
        output=restore_all(output),
        parameters=restore_parameters(row["parameters"], bodies.__getitem__),
        response=Raw(restore(row["response"], bodies.__getitem__)),
        key_id=row["key_id"],
    )


async def _read_pieces(
    connection: Connection, month: int, hashes: set[bytes]
) -> dict[bytes, bytes]:
    """The bodies of pieces, and of those that they refer to."""
    bodies: dict[bytes, bytes] = {}
    missing = hashes
    while missing:
        sql = "SELECT hash, body FROM pieces WHERE month = $1 AND hash = ANY($2::bytea[])"
        found = await connection.fetch(sql, month, list(missing))
        bodies.update((row["hash"], row["body"]) for row in found)
        missing = {
            hash_ for row in found for hash_ in references_in(decompress(row["body"]))
        } - bodies.keys()
    return bodies


_STORED = """
SELECT month, call_text, parameters, response, refers FROM contents
WHERE wire = $1 AND mode = 'full' AND response <> $2 AND ($3::text IS NULL OR key_id = $3)
AND (time_us, call_id) {sign} ($4, $5) ORDER BY time_us {order}, call_id {order} LIMIT $6
"""
_SET_PARAMETERS = (
    "UPDATE contents SET parameters = $3, refers = $4 WHERE month = $1 AND call_id = $2"
)
_FIRST, _LAST = (-(2**63), b""), (2**63 - 1, b"")


async def read_stored(
    connection: Connection, wire: str, owner: str | None, after: str | None, newest_first: bool,
    limit: int,
) -> list[StoredReply]:  # fmt: skip
    """As ``Store.stored_replies``."""
    place = _LAST if newest_first else _FIRST
    found = None if after is None else await find_content(connection, after, owner)
    if found is not None:
        place = found["time_us"], found["call_id"]
    sign, order = ("<", "DESC") if newest_first else (">", "ASC")
    sql = _STORED.format(sign=sign, order=order)
    rows = await connection.fetch(sql, wire, NO_RESPONSE, owner, *place, limit)
    replies = []
    for row in rows:
        bodies = await _read_pieces(connection, row["month"], set(row["refers"]))
        parameters = restore_parameters(row["parameters"], bodies.__getitem__)
        response = Raw(restore(row["response"], bodies.__getitem__))
        replies.append(StoredReply(row["call_text"], parameters, response))
    return replies


async def set_parameter(connection: Connection, row: Any, name: str, value: bytes | None) -> None:
    """Replace one of the parameters of a row of ``contents``."""
    parameters, released = replace_parameter(row["parameters"], name, value)
    gone = set(released) - set(references_in(decompress(row["response"])))
    refers = [each for each in row["refers"] if each not in gone]
    await connection.execute(_SET_PARAMETERS, row["month"], row["call_id"], parameters, refers)
    await _delete_pieces(connection, row["month"], gone)


# --- Deleting -------------------------------------------------------------------------------------

_DELETE_CONTENTS = """
DELETE FROM contents WHERE month = $1 AND call_id = ANY($2::bytea[]) RETURNING head, outputs, refers
"""
_DELETE_NODES = """
DELETE FROM nodes n WHERE n.month = $1 AND n.hash = ANY($2::bytea[])
AND NOT EXISTS (SELECT 1 FROM nodes c WHERE c.month = $1 AND c.parent = n.hash)
AND NOT EXISTS (SELECT 1 FROM contents c WHERE c.month = $1 AND c.head = n.hash)
AND NOT EXISTS (
  SELECT 1 FROM contents c WHERE c.month = $1 AND c.head = n.parent AND n.hash = ANY(c.outputs)
)
RETURNING n.parent, n.piece
"""
_DELETE_PIECES = """
DELETE FROM pieces p WHERE p.month = $1 AND p.hash = ANY($2::bytea[])
AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.month = $1 AND n.piece = p.hash)
AND NOT EXISTS (SELECT 1 FROM contents c WHERE c.month = $1 AND c.refers @> ARRAY[p.hash])
AND NOT EXISTS (SELECT 1 FROM pieces q WHERE q.month = $1 AND q.refers @> ARRAY[p.hash])
RETURNING p.refers
"""


async def delete_contents(connection: Connection, month: int, calls: Sequence[Any]) -> int:
    """Delete the content of calls, and what only they used. Returns how many had any."""
    deleted = await connection.fetch(_DELETE_CONTENTS, month, calls)
    await connection.execute(
        "DELETE FROM aliases WHERE month = $1 AND call_id = ANY($2::bytea[])", month, calls
    )
    pieces = {hash_ for row in deleted for hash_ in row["refers"]}
    nodes = {hash_ for row in deleted for hash_ in (row["head"], *row["outputs"])} - {ROOT}
    while nodes:
        gone = await connection.fetch(_DELETE_NODES, month, list(nodes))
        pieces |= {row["piece"] for row in gone}
        nodes = {row["parent"] for row in gone} - {ROOT}
    await _delete_pieces(connection, month, pieces)
    return len(deleted)


async def _delete_pieces(connection: Connection, month: int, pieces: set[bytes]) -> None:
    """Those that nothing refers to, and what only they referred to."""
    while pieces:
        gone = await connection.fetch(_DELETE_PIECES, month, list(pieces))
        pieces = {hash_ for row in gone for hash_ in row["refers"] or ()}

"""Content in SQLite: pieces and nodes of ``headway.ledger.content_chain``, each with the number of
its uses, so that what nobody refers to any more is deleted at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import apsw
from msgspec import Raw

from headway.ledger.content_chain import (
    NO_RESPONSE,
    ROOT,
    Chain,
    Piece,
    decompress,
    references_in,
    replace_parameter,
    restore,
    restore_parameters,
    split_if_possible,
)
from headway.ledger.ids import pack_id, unpack_id
from headway.ledger.store import Conversation, StoredReply
from headway.ledger.stores.sqlite.sql import all_rows, first_value
from headway.record import Content


def add_contents(db: apsw.Connection, contents: Iterable[Content]) -> None:
    """Content of a call that has some already is ignored."""
    for content in contents:
        call = pack_id(content.call_id)
        if first_value(db, "SELECT 1 FROM contents WHERE call_id = ?", (call,)) is None:
            chain = split_if_possible(content)
            if chain is not None:
                _add_content(db, call, content, chain)


def _add_content(db: apsw.Connection, call: bytes | str, content: Content, chain: Chain) -> None:
    nodes = _add_nodes(db, chain)
    pieces = {piece.hash: piece for piece in chain.pieces}
    for hash_ in chain.refers:
        _use_piece(db, pieces, hash_)
    db.execute(
        "INSERT INTO contents (call_id, time_us, key_id, wire, mode, parameters, response) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (call, round(content.timestamp * 1e6), content.key_id, content.wire, content.mode,
         chain.parameters, chain.response),
    )  # fmt: skip
    id_ = db.last_insert_rowid()
    used = [nodes.get(hash_) for hash_ in (chain.head, *chain.outputs)]
    db.executemany(
        "INSERT INTO content_nodes VALUES (?, ?, ?)",
        [(id_, place, node) for place, node in enumerate(used)],
    )
    db.executemany("UPDATE nodes SET uses = uses + 1 WHERE id = ?", [(node,) for node in used])
    db.executemany(
        "INSERT OR IGNORE INTO aliases VALUES (?, ?)", [(alias, id_) for alias in content.aliases]
    )


def _add_nodes(db: apsw.Connection, chain: Chain) -> dict[bytes, int]:
    """Hash -> number of all nodes of ``chain``."""
    pieces = {piece.hash: piece for piece in chain.pieces}
    numbers: dict[bytes, int] = {}
    for node in chain.nodes:
        found = first_value(db, "SELECT id FROM nodes WHERE hash = ?", (node.hash,))
        if found is None:
            parent = None if node.parent == ROOT else numbers[node.parent]
            piece = _use_piece(db, pieces, node.message)
            db.execute(
                "INSERT INTO nodes (hash, parent, piece, uses) VALUES (?, ?, ?, 0)",
                (node.hash, parent, piece),
            )
            found = db.last_insert_rowid()
            db.execute("UPDATE nodes SET uses = uses + 1 WHERE id = ?", (parent,))
        numbers[node.hash] = found
    return numbers


def _use_piece(db: apsw.Connection, pieces: dict[bytes, Piece], hash_: bytes) -> int:
    """Count one more use of a piece; a new one is stored. Returns its number."""
    sql = "UPDATE pieces SET uses = uses + 1 WHERE hash = ? RETURNING id"
    found: int | None = first_value(db, sql, (hash_,))
    if found is not None:
        return found
    piece = pieces[hash_]
    for each in piece.refers:
        _use_piece(db, pieces, each)
    db.execute("INSERT INTO pieces (hash, uses, body) VALUES (?, 1, ?)", (hash_, piece.body))
    number = db.last_insert_rowid()
    if text := piece.text:
        db.execute("INSERT INTO piece_texts (rowid, text) VALUES (?, ?)", (number, text))
    return number


def set_parameter(db: apsw.Connection, id_: int, name: str, value: bytes | None) -> None:
    """Replace one of the parameters of a row of ``contents``."""
    before = first_value(db, "SELECT parameters FROM contents WHERE id = ?", (id_,))
    after, released = replace_parameter(before, name, value)
    db.execute("UPDATE contents SET parameters = ? WHERE id = ?", (after, id_))
    response = first_value(db, "SELECT response FROM contents WHERE id = ?", (id_,))
    for hash_ in set(released) - set(references_in(decompress(response))):
        _release_piece(db, "hash", hash_)


# --- Deleting -------------------------------------------------------------------------------------


def delete_content(db: apsw.Connection, id_: int) -> None:
    """Delete a row of ``contents``, and what only that one used."""
    sql = "DELETE FROM contents WHERE id = ? RETURNING parameters, response"
    bodies = [decompress(body) for body in all_rows(db, sql, (id_,))[0]]
    for hash_ in dict.fromkeys(hash_ for body in bodies for hash_ in references_in(body)):
        _release_piece(db, "hash", hash_)
    nodes = "DELETE FROM content_nodes WHERE content = ? RETURNING node"
    for (node,) in all_rows(db, nodes, (id_,)):
        _release_node(db, node)
    db.execute("DELETE FROM aliases WHERE content = ?", (id_,))


def _release_node(db: apsw.Connection, id_: int | None) -> None:
    """Count one use less; a node without any goes, and releases its parent."""
    while id_ is not None:
        sql = "UPDATE nodes SET uses = uses - 1 WHERE id = ? RETURNING uses, parent, piece"
        uses, parent, piece = all_rows(db, sql, (id_,))[0]
        if uses > 0:
            return
        db.execute("DELETE FROM nodes WHERE id = ?", (id_,))
        _release_piece(db, "id", piece)
        id_ = parent


def _release_piece(db: apsw.Connection, column: str, value: int | bytes) -> None:
    sql = f"UPDATE pieces SET uses = uses - 1 WHERE {column} = ? RETURNING id, uses"
    id_, uses = all_rows(db, sql, (value,))[0]
    if uses > 0:
        return
    body = first_value(db, "DELETE FROM pieces WHERE id = ? RETURNING body", (id_,))
    db.execute("DELETE FROM piece_texts WHERE rowid = ?", (id_,))
    for hash_ in dict.fromkeys(references_in(decompress(body))):
        _release_piece(db, "hash", hash_)


# --- Reading --------------------------------------------------------------------------------------


def find_content(db: apsw.Connection, call_id: str, owner: str | None) -> int | None:
    """The row of the content of a call, by its id or an alias; the newest of several."""
    sql = """
    SELECT id FROM contents WHERE call_id = ?1 AND (?3 IS NULL OR key_id = ?3)
    UNION ALL
    SELECT * FROM (
      SELECT c.id FROM aliases AS a JOIN contents AS c ON c.id = a.content
      WHERE a.alias = ?2 AND (?3 IS NULL OR c.key_id = ?3) ORDER BY c.time_us DESC, c.id DESC
    )"""
    found: int | None = first_value(db, sql, (pack_id(call_id), call_id, owner))
    return found


def read_conversation(db: apsw.Connection, id_: int) -> Conversation:
    call, key_id, wire, mode, parameters, response = all_rows(
        db,
        "SELECT call_id, key_id, wire, mode, parameters, response FROM contents WHERE id = ?",
        (id_,),
    )[0]

    find = _piece_finder(db)

    def restore_all(bodies: Sequence[tuple[bytes]]) -> tuple[Raw, ...]:
        return tuple([Raw(restore(body, find)) for (body,) in bodies])

    return Conversation(
        call_id=unpack_id(call),
        wire=wire,
        mode=mode,
        messages=restore_all(all_rows(db, _MESSAGES, (id_,))),
        output=restore_all(all_rows(db, _OUTPUT, (id_,))),
        parameters=restore_parameters(parameters, find),
        response=Raw(restore(response, find)),
        key_id=key_id,
    )


def _piece_finder(db: apsw.Connection) -> Callable[[bytes], bytes]:
    def find(hash_: bytes) -> bytes:
        body: bytes = first_value(db, "SELECT body FROM pieces WHERE hash = ?", (hash_,))
        return body

    return find


def read_stored(
    db: apsw.Connection, wire: str, owner: str | None, after: str | None, newest_first: bool,
    limit: int,
) -> list[StoredReply]:  # fmt: skip
    """As ``Store.stored_replies``."""
    found = None if after is None else find_content(db, after, owner)
    start = 2**63 - 1 if newest_first else -(2**63)
    place = (start, start)
    if found is not None:
        sql = "SELECT time_us, id FROM contents WHERE id = ?"
        place = all_rows(db, sql, (found,))[0]
    sign, order = ("<", "DESC") if newest_first else (">", "ASC")
    rows = all_rows(
        db,
        "SELECT call_id, parameters, response FROM contents "
        "WHERE wire = ?1 AND mode = 'full' AND response <> ?2 AND (?3 IS NULL OR key_id = ?3) "
        f"AND (time_us, id) {sign} (?4, ?5) ORDER BY time_us {order}, id {order} LIMIT ?6",
        (wire, NO_RESPONSE, owner, *place, limit),
    )
    find = _piece_finder(db)
    return [
        StoredReply(
            unpack_id(call), restore_parameters(parameters, find), Raw(restore(response, find))
        )
        for call, parameters, response in rows
    ]


_MESSAGES = """
WITH RECURSIVE chain (depth, node, parent, piece) AS (
  SELECT 0, n.id, n.parent, n.piece FROM content_nodes AS c JOIN nodes AS n ON n.id = c.node
  WHERE c.content = ? AND c.place = 0
  UNION ALL
  SELECT depth + 1, n.id, n.parent, n.piece FROM chain JOIN nodes AS n ON n.id = chain.parent
)
SELECT p.body FROM chain JOIN pieces AS p ON p.id = chain.piece ORDER BY depth DESC"""
_OUTPUT = """
SELECT p.body FROM content_nodes AS c JOIN nodes AS n ON n.id = c.node
JOIN pieces AS p ON p.id = n.piece WHERE c.content = ? AND c.place > 0 ORDER BY c.place"""

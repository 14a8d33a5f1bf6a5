"""Who may read what, and hostile texts in every parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headway.ledger.queries import FILTERS, OPTIONS
from headway.ledger.store import Store, StoreError
from headway.record import Feedback
from headway.server.api import info_routes, ledger_routes
from headway.server.routes import error_format
from support.for_each import for_each
from support.ledger_records import failed, record
from support.ledger_server import LedgerServer, key_id

NewServer = Callable[..., LedgerServer]
SECRET = "belongs-to-the-other-key"
GETS = [path for path, route in ledger_routes.ROUTES.items() if "GET" in route.methods]


@pytest.fixture(scope="module")
def server() -> Iterator[LedgerServer]:
    """``mine`` has the call ``a``, and ``other`` the call ``b``, in a session of the same name."""
    own, other = key_id("mine"), key_id("other")
    server = LedgerServer(
        record(1, call_id="a", key_id=own, session_id="s", request_id="ra", user="u", tags=("t",)),
        failed(2, call_id="c", key_id=own, session_id="s", error_message="x'y\"z%_"),
        record(3, call_id="b", key_id=other, session_id="s", request_id="rb", model=SECRET,
               deployment=SECRET, user=SECRET, tags=(SECRET,), provider=SECRET, is_last=False,
               cost_source="provider", cost_computed_usd="1"),
        failed(4, call_id="b", key_id=other, session_id="s", request_id="rb", model=SECRET,
               deployment=SECRET, error_message=SECRET, attempt=2),
        record(5, call_id="d", key_id=other, session_id="hers", model=SECRET),
        Feedback(id="f", call_id="b", timestamp=0.0, comment=SECRET),
        keys=("mine", "other", "boss"),
        admins=("boss",),
    )  # fmt: skip
    yield server
    server.close()


# --- Access ---------------------------------------------------------------------------------------


def test_a_key_sees_its_own_calls_and_an_admin_those_of_all(server: LedgerServer) -> None:
    def seen(key: str) -> list[str]:
        return [row["id"] for row in server.get("/api/logs", key).json["data"]]

    assert seen("mine") == ["c", "a"]
    assert seen("other") == ["d", "b"]
    assert seen("boss") == ["d", "b", "c", "a"]
    only = server.get(f"/api/logs?key={key_id('mine')}", "other").json
    assert only == {"data": [], "next_cursor": None}


def test_without_keys_everyone_sees_everything(new_server: NewServer) -> None:
    server = new_server(record(1, key_id="2bb80d53"), record(2))
    assert len(server.get("/api/logs").json["data"]) == 2


@for_each("path", [*GETS, "/api/logs/a", "/api/sessions/s"])
def test_a_key_is_needed(server: LedgerServer, path: str) -> None:
    assert server.get(path).status == 401
    assert server.get(path, "wrong").status == 401


def test_another_keys_call_and_session_are_as_good_as_absent(server: LedgerServer) -> None:
    for path in ("/api/logs/b", "/api/logs/rb", "/api/sessions/hers", "/v1/generation?id=b"):
        assert server.get(path, "mine").status == 404
        assert server.get(path, "boss").status == 200
    session = server.get("/api/sessions/s", "mine")
    assert session.json["session"]["calls"] == 2
    assert SECRET.encode() not in session.body


def test_sums_are_those_of_the_key(server: LedgerServer) -> None:
    assert server.get("/api/usage", "mine").json["total"]["calls"] == 2
    assert server.get("/api/usage", "boss").json["total"]["calls"] == 4
    assert server.get("/api/costs/reconcile", "mine").json["data"] == []
    assert len(server.get("/api/costs/reconcile", "other").json["data"]) == 1
    assert server.get("/api/export", "mine").body.count(b"\n") == 2


def test_a_key_in_the_query_opens_the_door_and_filters_nothing(server: LedgerServer) -> None:
    assert len(server.get("/api/logs?key=mine").json["data"]) == 2
    both = f"/api/logs?key=boss&key={key_id('other')}"
    assert [row["id"] for row in server.get(both).json["data"]] == ["d", "b"]


# --- The ledger itself ----------------------------------------------------------------------------


STORED = [path for path in GETS if path not in ("/api/routes", "/api/models", "/api/providers")]
"""Those that need the database."""


@for_each("path", [*STORED, "/api/logs/a", "/api/sessions/s"])
def test_a_database_that_is_down_is_a_503_that_says_what_to_do(path: str) -> None:
    class Down:
        """Opens, and then fails each question."""

        def __getattr__(self, name: str) -> Callable[..., object]:
            async def fail(*_: object, **__: object) -> None:
                if name not in ("open", "close"):
                    raise StoreError("the disk is full; make room")

            return fail

    store: Store = Down()  # type: ignore[assignment]
    server = LedgerServer(store=store)
    reply = server.get(f"{path}?id=a" if "generation" in path else path)
    assert (reply.status, reply.error["type"]) == (503, "ledger_unavailable")
    assert "the disk is full; make room" in reply.error["message"]
    assert reply.headers["retry-after"] == "5"
    server.close()


def test_no_route_of_another_kind_is_meant() -> None:
    for path in ledger_routes.ROUTES:
        assert error_format(path) is None
        assert info_routes.find(path) is None
    assert ledger_routes.find("/api/logs/") is None
    assert ledger_routes.find("/api/logsx") is None


# --- Hostile texts --------------------------------------------------------------------------------

_HOSTILE = st.sampled_from(
    [
        "' OR 1=1 --", '"; drop table records; --', "%", "_", "%%", "\\", "a\\", "\x00", "\ud800",
        "NEAR(", '"', "*", "(", ")", "AND", "NOT", "^", "x:y", "-", "{a", "a OR b", "'", "''",
        "1e999", "-1", "NaN", "Infinity", "9" * 400, "0x10", "\N{ARABIC-INDIC DIGIT FIVE}",
        "\u202e", "\N{PILE OF POO}", "../../etc/passwd", "${jndi:ldap://x}", "<script>", "a,b\\,c",
        "b", "rb", SECRET, SECRET[:4], "s", "hers", key_id("other"), "9999-12-31T23:59:59",
        "0001-01-01", "99999999999d", "24h", "2xx", "000-999", "day,model", "tag,key,user,session",
        "text/event-stream", "previous", "csv", "jsonl", "1", "0", "1000", "gKRsb2dzkQ", "",
    ]
)  # fmt: skip
_VALUES = _HOSTILE | st.text(max_size=30)
_NAMES = st.sampled_from([*FILTERS, *OPTIONS, "owner"])
_BY_ID = ("/api/logs/", "/api/sessions/", "/api/tracking/logs/", "/api/tracking/session/")
_PATHS = st.sampled_from([*GETS, *_BY_ID])


def query_of(pairs: list[tuple[str, str]]) -> str:
    return urlencode(pairs, errors="surrogatepass")


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(_PATHS, _VALUES, st.lists(st.tuples(_NAMES, _VALUES), max_size=4))
def test_no_text_breaks_a_route_or_shows_another_keys_records(
    server: LedgerServer, path: str, argument: str, pairs: list[tuple[str, str]]
) -> None:
    server.gateway.is_closing = True  # so that streams end
    if path.endswith("/"):
        path += quote(argument, errors="surrogatepass")
    reply = server.get(f"{path}?{query_of(pairs)}", "mine")
    assert reply.status in (200, 400, 404, 422), reply.body
    if reply.status == 200:
        assert SECRET.encode() not in reply.body
    elif reply.status != 404:
        assert reply.error["param"]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_in_a_query_break_a_route(server: LedgerServer, query: bytes) -> None:
    text = query.decode("latin-1").replace("#", "")
    assert server.get(f"/api/logs?{quote(text, safe='&=%;+')}", "mine").status in (200, 400)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_cursor_that_was_tampered_with_is_refused_or_shows_nothing_else(
    server: LedgerServer, data: st.DataObject
) -> None:
    cursor = server.get("/api/logs?limit=1", "other").json["next_cursor"]
    at = data.draw(st.integers(0, len(cursor) - 1))
    with_letter = cursor[:at] + data.draw(st.sampled_from("AZaz09-_")) + cursor[at + 1 :]
    reply = server.get(f"/api/logs?cursor={with_letter}", "mine")
    assert reply.status in (200, 400)
    assert SECRET.encode() not in reply.body
    if reply.status == 400:
        assert reply.error["param"] == "cursor"

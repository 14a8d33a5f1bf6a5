"""Entity tags of replies."""

from __future__ import annotations

from headway.server.api.entity_tags import tag
from headway.server.api.ledger_requests import Answer


def test_a_body_that_the_client_has_is_not_sent_again() -> None:
    whole = tag(Answer(b"{}"), ())
    etag = dict(whole.headers)[b"etag"]
    assert (whole.status, whole.body) == (200, b"{}")
    assert dict(whole.headers)[b"cache-control"] == b"private, no-cache"
    for known in (etag, b"W/" + etag, b'"other", ' + etag, b"*"):
        again = tag(Answer(b"{}"), [(b"if-none-match", known)])
        assert (again.status, again.body) == (304, b"")
        assert dict(again.headers)[b"etag"] == etag
    for known in (b'"other"', b"", etag.strip(b'"')):
        assert tag(Answer(b"{}"), [(b"if-none-match", known)]).status == 200
    assert dict(tag(Answer(b"[]"), ()).headers)[b"etag"] != etag

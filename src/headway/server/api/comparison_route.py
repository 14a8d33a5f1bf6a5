"""How the targets of a route compare."""

from __future__ import annotations

from headway.errors import NotFound, RequestError
from headway.ledger import queries
from headway.ledger.comparison import METRICS, Metric, compare_targets
from headway.ledger.queries import FILTERS, Pairs
from headway.server.api.ledger_requests import Answer, Ledger, LedgerRequest, answer

PATH, END = "/api/routes/", "/comparison"
COMPARED = tuple(name for name in FILTERS if name not in ("id", "route", "role", "outcome"))
"""The filters that say which calls are compared."""
MAX_TARGETS = 20


async def compare(ledger: Ledger, request: LedgerRequest) -> Answer:
    """Raises NotFound for another path, and RequestError."""
    name = request.argument.removesuffix(END)
    if name == request.argument or not name:
        raise NotFound(f"There is nothing at {PATH}{request.argument[:80]}; there is NAME{END}.")
    route = queries.check_text("name", name)
    metric, targets, pairs = read_comparison(request.pairs)
    query = queries.read(pairs, request.now, filters=COMPARED, owner=request.owner)
    found = await ledger.reader.ask(
        lambda store: compare_targets(store, route, metric, query.where, targets)
    )
    return answer(found)


def read_comparison(pairs: Pairs) -> tuple[Metric, tuple[str, ...], Pairs]:
    """The metric (the cost unless given), the targets, and the pairs that are left, which are
    filters. Raises RequestError."""
    metric: Metric = "cost"
    targets: list[str] = []
    for name, value in pairs:
        if name == "metric" and value.strip():
            metric = read_metric(value.strip())
        elif name == "targets":
            given = (queries.check_text("targets", each.strip()) for each in value.split(","))
            targets += given if value.strip() else ()
    if len(targets) > MAX_TARGETS:
        raise RequestError(f"`targets` has more than {MAX_TARGETS} names.", param="targets")
    return metric, tuple(targets), [each for each in pairs if each[0] not in ("metric", "targets")]


def read_metric(value: str) -> Metric:
    """Raises RequestError."""
    if value not in METRICS:
        known = f"{', '.join(METRICS[:-1])} or {METRICS[-1]}"
        raise RequestError(f"`metric` is wrong: it takes {known}.", param="metric")
    return METRICS[METRICS.index(value)]

"""What docs/ledger.md says of PostgreSQL."""

from __future__ import annotations

POSTGRESQL = """
## PostgreSQL

```yaml
ledger:
  url: postgresql://headway:${LEDGER_PASSWORD}@db.example.com:5432/headway?sslmode=verify-full
```

It needs PostgreSQL 14 or newer, a database in UTF-8, and the extra `postgresql`
(`pip install 'headway[postgresql]'`). Everything is in the schema `headway`, so other programs may
use the same database. The gateway creates its tables when it starts, and brings them up to date
after an upgrade; `headway db migrate` does so without a start. Any number of gateways may use one
database: each record is stored once, whoever ships it.

- The user needs the right to create the schema (`GRANT CREATE ON DATABASE headway TO headway`), or
  a schema that belongs to it (`CREATE SCHEMA headway AUTHORIZATION headway`) and nothing else.
- To read with commands on another machine, or with SQL, a role needs `GRANT USAGE ON SCHEMA
  headway` and `GRANT SELECT ON ALL TABLES IN SCHEMA headway`. `ALTER DEFAULT PRIVILEGES FOR ROLE
  headway IN SCHEMA headway GRANT SELECT ON TABLES` covers tables of later versions.
- A gateway holds up to four connections for each of its processes, and gives a question up after
  30 seconds. Locks end with their transactions, but statements are prepared and sessions have
  settings, so a pooler must pool sessions, not transactions.
- While the database is away, records stay in the spool. They are stored when it is back.

Gateways on one database have one ledger: each answers for the calls of all. A call of another
gateway is there as soon as that one's shipper has stored it, usually within 0.2 s of its end. So
the look-up of one id (of a call, a stored response or completion, `previous_response_id`) waits up
to 0.5 s before it says that there is none, and up to 2 s while the gateway's own spool has
something to store. Lists, sums and the history of a session are read at once: behind a load
balancer, keep a session on one gateway if its next turn may come sooner than that.

Records are in a partition for each day (`records_20261129`), and messages in one for each month
(`pieces_202611`). Retention drops whole partitions, which gives their space back to the disk at
once and leaves nothing to vacuum: with `retention: 30d` a record stays for 30 to 31 days. Messages
that are older than `content_retention` are deleted from the month that is not over yet, too, so
they never stay longer. Sums by hour, day and month survive.

An upgrade writes no row of the tables and locks them for a moment only. Since schema version 2 new
records take about a quarter less room: most of their numbers have four bytes, and the indexes are
smaller. Indexes of the days before are built within ten minutes of the start, beside the traffic
and the newest first, or by `headway db migrate`; until then questions about those days take longer.
Gateways of an earlier version that use the same database keep their records in the spool until they
are upgraded, too.

The view `headway.logs` has one row for each attempt, with names, dollars and seconds:

```sql
select model, count(*), sum(cost_usd), percentile_cont(0.95) within group (order by latency_s)
from headway.logs where "timestamp" > now() - interval '1 day' group by model;
```
"""

"""What docs/ledger.md says of the database in one file."""

SQLITE = """\

## In SQLite

The default: `ledger: {url: sqlite:////var/lib/headway/ledger.db}`. One file (and `-wal` and `-shm`
next to it while it is open), readable by its owner only. One process writes at a time, the shipper;
any number of processes read meanwhile, the commands of `headway` among them. Each batch is synced
to the disk before the spool forgets it.

- A record is a row of `records`. What many records have in common is stored once: `profiles` (what
  is filtered by), `terms`, `names`, `tag_sets`, `sessions`. The view `logs` puts them together, for
  SQL of your own: `select model, sum(cost_usd) from logs group by model`. There amounts are
  floating-point numbers; `headway usage` adds them exactly.
- `facets` is an index of FTS5 by which filters find records: by model, key, outcome, user, tag,
  session, id, latency and cost at once. It takes less time and space than an index of SQLite for
  each of them would.
- `sums` has what `headway usage` and `GET /api/usage` read: by hour, day and month for models, and
  by day and month for keys, users and tag sets, and for users and tag sets with each model. A batch
  appends a few segments to it, each with many sums in columns, in one transaction with its records;
  segments are merged from time to time, and when their day is over. Sums stay when records are
  deleted. A question that they do not answer, such as one about users and tags, or about
  percentiles by user and model, reads the records. Gaps between events are summed up by model only.
- Each message is stored once, however many calls contain it, and so is each image or file within
  messages. It is deleted with the last call that contains it.
- Retention gives the space of deleted rows back to the disk (`auto_vacuum=INCREMENTAL`).
- A database of an older version is migrated when the server starts, or by `headway db migrate`; one
  of a newer version is refused. A migration that fails leaves the data as it was.

`make bench-ledger ARGS="--records 1000000"` measures it: records stored each second, bytes a
record, and how long each question takes, on the clock and of the CPU. A million records of a month,
with 500 users, 20 keys, 60 sets of tags and 7 models, take 366 bytes each: 207 of them the row, 72
its entries in the index, and 67 the sums.

On one core of an idle AMD EPYC, 20,876 records a second were stored, for 46 us of CPU each. The
95th percentile of the time to first token by model and day took 14 ms, the cost by key 30, by
user 39, by tag 54, by user and model 60, and every metric by user, which merges 3,500 histograms,
149. A page of calls took 1.6 to 6.5 ms with any filter but one: 24 for a latency between 2 and
2.0001 s.
"""

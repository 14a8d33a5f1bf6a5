"""The sections of docs/ledger.md on how records get from a request to the database."""

from __future__ import annotations

DURABILITY = """\
## Durability

A record is written to the spool before the client receives the end of the reply, and stored in the
database a moment later, by a process of its own: the shipper.

### The spool

Each process appends its records to a file of its own in the directory `ledger.spool`, one JSON
object per line, readable by its owner only. By default that is next to the database: with
`ledger: {url: sqlite:////var/lib/hw.db}` it is `/var/lib/hw.db.spool`.

- A record survives `kill -9` of the gateway. With `fsync: off` the file is not synced, so a power
  failure may lose the last seconds; with `interval` it loses about the last second, with `always`
  nothing, and each reply waits for the disk.
- If a record cannot be written (a full disk, wrong permissions, `spool_limit`), the client still
  gets the reply. Up to 16 MiB of records are held in memory by each process and written when that
  works again; further ones are lost and counted. With `on_failure: refuse` new requests get 503
  with `retry-after` meanwhile, before anything is sent to a provider.
- A file is followed by another one at 64 MiB, after an hour, and when its disk is full. A process
  that writes a file holds a lock on it. A file without a lock is deleted when all of it is stored.
- A reader must accept an empty line and a torn one (a full disk, a kill during a write); the
  lines before and after it are intact. `id` shows whether a record was stored already.
- A file may be moved at any time: within a second the gateway starts a new one, and the old one
  holds every line until then. Deleting it loses those lines.
- The file of earlier versions, `/var/lib/hw.db.spool.jsonl`, is stored as well, and deleted.

### The shipper

`headway serve`, and any other ASGI server, starts one for each spool, and another one if it dies.
It reads the files every 0.1 s and stores their lines in batches. How far a file is stored is
written in the same transaction, so a record is stored once, whatever is killed in between. When the
gateway is gone, also by `kill -9`, the shipper stores what is left and ends.

- While the database cannot be used, records stay in the spool, up to `ledger.spool_limit`. The
  shipper tries again at least every 5 s, and catches up by itself.
- Lines that are no records, and those that the database refuses, are kept in `rejected.txt` in the
  spool's directory.
- Every ten minutes it archives and deletes what `ledger.archive` and `ledger.retention` say.

### When something fails

The log has one message when records can no longer be written or stored, and one when they can
again. `GET /health` says `degraded` in between, with HTTP status 200 while requests are served and
503 while they are refused:

| `ledger` | meaning |
|---|---|
| `spool` | `failing` while records cannot be written to disk |
| `store` | `failing` while they cannot be stored in the database, `not running` without a shipper |
| `lost` | records of this process that were neither written nor are held |
| `held` | records that this process holds in memory |
| `unstored_bytes` | bytes of the spool that are not in the database |

`status.json` in the spool's directory has the reason, the time since when, and the number of
records that were stored.

### Proof

`make crash` runs `headway serve` with eight clients that send requests without a pause (whole and
streamed replies, and calls that fail and are tried again), and kills at random moments all of its
processes, its process group, the server, a worker, or the shipper. Then it compares the database
with what the clients saw: each reply whose end a client saw has its records once, with the right
status, tokens and cost; no record is there twice; and the sums of `/api/usage` are those over the
records. Requests whose clients saw no end may have a record; requests that were refused have none.

| scenario | kills | requests | replies seen | records | missing | doubled |
|---|---|---|---|---|---|---|
| SIGKILL, SQLite, 1 worker | 50 | 4,544 | 4,249 | 5,125 | 0 | 0 |
| SIGKILL, SQLite, 4 workers | 50 | 1,398 | 1,187 | 1,428 | 0 | 0 |
| SIGKILL, PostgreSQL, 1 worker | 50 | 4,095 | 3,759 | 4,517 | 0 | 0 |
| SIGKILL, PostgreSQL, 4 workers | 50 | 1,754 | 1,592 | 1,906 | 0 | 0 |
| SIGKILL, two gateways on one PostgreSQL | 50 | 15,608 | 15,444 | 18,479 | 0 | 0 |
| SQLite locked by another process for 6 s |  | 1,937 | 1,937 | 2,317 | 0 | 0 |
| PostgreSQL locked for 6 s |  | 2,024 | 2,024 | 2,450 | 0 | 0 |
| PostgreSQL stopped for 3 s, twice |  | 2,578 | 2,578 | 3,083 | 0 | 0 |
| connections to PostgreSQL cut for 3 s |  | 1,150 | 1,150 | 1,378 | 0 | 0 |
| full disk, requests refused |  | 1,381 | 1,381 | 1,271 | 0 | 0 |
| full disk, requests served |  | 2,285 | 2,285 | 2,742 | 0 | 0 |

On a machine with two cores that was busy with other things; the numbers of requests vary.

"""

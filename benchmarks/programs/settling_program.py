"""Settles creates of one company, as many at a time as the target does, and prints how long that took.

python benchmarks/programs/settling_program.py STORE_URL DIVISION ROWS

It prepares a plan, says "ready", and begins when it reads a line.
"""

import json
import sys
import time
from datetime import datetime, timezone

from exactonline_client.companies import Company
from exactonline_client.entities import ACCOUNTS
from exactonline_client.feeds import memory as feed_memory
from exactonline_client.store import Store
from target_exactonline.planning.model import Copy, Create, Existing, SourceKey, SourceRecord
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.reporting.recorder import FLUSH_AT
from target_exactonline.store import tables
from target_exactonline.store.memory import Memory
from target_exactonline.store.plans import Change
from target_exactonline.store.settlement import Ended, Settlement

SITE = "https://start.exactonline.nl"
SOURCE = 100


def values_of(number: int) -> dict[str, object]:
    """What an ordinary customer travels with."""
    return {
        "Name": f"Klant {number} B.V.",
        "Status": "C",
        "AddressLine1": f"Dorpsstraat {number}",
        "Postcode": "3511 AB",
        "City": "Utrecht",
        "Country": "NL",
        "Language": "NL",
        "Email": f"info@klant{number}.example",
        "Phone": "030-1234567",
    }


def main() -> None:
    store_url, division, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    at = datetime.now(timezone.utc)
    with Store.open(store_url, tables.metadata, feed_memory.metadata) as store:
        memory = Memory(store, ACCOUNTS)
        company = memory.companies.number(Company(SITE, division))
        records = [SourceRecord(SourceKey(SOURCE, f"id-{n}"), str(n), values_of(n)) for n in range(1, rows + 1)]
        memory.sources(SITE).remember(records)
        known = memory.sources(SITE).of_keys([one.key for one in records])
        plan = memory.plans.begin(1, company, ACCOUNTS.stream, at, is_trial=False)
        decided = [Change(one.number, one.record.code, Create(dict(one.record.values))) for one in known]
        memory.plans.add(plan, 1, company, ACCOUNTS.stream, decided, at)
        changes = [change for page in memory.plans.changes(plan) for change in page]
        record_of = {one.number: one.record for one in known}
        ended = []
        for change in changes:
            record = record_of[change.source]
            row = Existing(f"{division:08d}-0000-4000-8000-{change.source:012d}", record.code, record.values, at)
            result = Result(division, record.code, Outcome.CREATED, at, changes=change.fields, source=record.key)
            copy = Copy(record.key, record.code, row.id, record.values, at, state="tied", first_seen=at)
            one = Ended(result, change.source, change.source, copy, existing=row, is_written=True, change=change.number)
            ended.append(one)
        settlement = Settlement(store, company, memory.copies, memory.mirror(company), memory.plans, 1)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        begun_at, busy = time.time(), time.process_time()
        for start in range(0, rows, FLUSH_AT):
            settlement.keep(ended[start : start + FLUSH_AT], plan)
        sys.stdout.write(
            json.dumps({"begun_at": begun_at, "ended_at": time.time(), "busy_seconds": time.process_time() - busy})
        )


if __name__ == "__main__":
    main()

"""Measures the preview of the page over many planned changes, beside a bare query of the same rows. Asserts nothing.

make bench
python benchmarks/preview.py --records 5000
"""

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import httpx
import psutil
from console_driver import make_project, serving_here
from exactonline_client.store import Store
from stored_plans import SITE, keep_plan
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.store.runs import DivisionCounts, Runs

AT = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
DIVISIONS = tuple(range(2000101, 2000111))
TURNS = 15
BARE = "SELECT company, code, action, fields, reason, at FROM changes WHERE run = ? ORDER BY number LIMIT 100"
PAGES = {
    "first page": "",
    "a page of records": "/records",
    "the last page": "/records?page=99999",
    "one company, one kind": "/records?company=2000103&kind=updated",
    "a word that few have": "/records?search=Klant 4999 ",
    "a word that none has": "/records?search=nowhere",
}


def results(count: int) -> Iterator[Result]:
    """A plan: half new accounts of a dozen fields, the others changed in two."""
    for number in range(count):
        division, code = DIVISIONS[number % len(DIVISIONS)], str(number)
        if number % 2:
            values = {"Name": f"Klant {number} B.V.", "AddressLine1": f"Dorpsstraat {number}", "Postcode": "3511 AB"}
            values |= {"City": "Utrecht", "Country": "NL", "Email": f"info@klant{number}.example", "Status": "C"}
            yield Result(
                division, code, Outcome.CREATED, AT, changes={name: (None, one) for name, one in values.items()}
            )
        else:
            changes = {"City": ("Breda", "Utrecht"), "Phone": (None, "030-1234567")}
            yield Result(division, code, Outcome.UPDATED, AT, changes=changes)


def fill(store: Store, count: int) -> tuple[str, int]:
    """Keep such a plan; answers the run's id and number."""
    runs = Runs(store)
    run = f"records-{count}"
    number = runs.begin(run, AT, [SITE], dry_run=True)
    keep_plan(store, number, results(count))
    half = count // len(DIVISIONS) // 2
    counts = [DivisionCounts(one, f"Company {one}", 0, 1, {"created": half, "updated": half}) for one in DIVISIONS]
    runs.end(number, AT, status=0, verdict="Done.", sources=[2000100], divisions=counts)
    return run, number


def median(measured: Callable[[], object]) -> float:
    """Milliseconds that it takes, as a rule."""
    times = []
    for _ in range(TURNS):
        began = time.perf_counter()
        measured()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def downloaded(client: httpx.Client, address: str) -> tuple[int, float]:
    """Bytes of a download that is taken in pieces, and by how many MB this process grew at most meanwhile."""
    process, size = psutil.Process(), 0
    before = most = process.memory_info().rss
    with client.stream("GET", address) as answer:
        for piece in answer.iter_bytes():
            size += len(piece)
            most = max(most, process.memory_info().rss)
    return size, (most - before) / 1_000_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=50_000)
    count = parser.parse_args().records
    with tempfile.TemporaryDirectory() as folder, serving_here(make_project(Path(folder) / "project")) as page:
        with page.store() as store:
            run, number = fill(store, count)
            small, _ = fill(store, count // 10)
        database = sqlite3.connect(page.folder / ".exactonline" / "store.db")

        def bare() -> list[object]:
            return [json.loads(row[3]) for row in database.execute(BARE, (number,))]

        client = httpx.Client(base_url=page.url, timeout=120)
        client.get("/")
        base = median(bare)
        print(f"Preview of {count} records; medians of {TURNS} turns")
        print(f"  {'bare query of 100 rows':<28}{base:>9.1f} ms")
        for what, address in PAGES.items():
            took = median(lambda address=address: client.get(f"/runs/{run}{address}").raise_for_status())
            print(f"  {what:<28}{took:>9.1f} ms {took / base:>8.0f} times the bare query")
        for kind in ("csv", "jsonl"):
            for of, which in ((count // 10, small), (count, run), (count, run)):
                size, grown = downloaded(client, f"/runs/{which}/records.{kind}")
                print(f"  {f'{kind} of {of}':<28}{size / 1e6:>9.1f} MB, memory grows by {grown:.1f} MB")
        database.close()


if __name__ == "__main__":
    main()

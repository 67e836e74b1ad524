"""Looks at the references of many companies: calls and seconds of `exactonline references`, at first and again.

python benchmarks/references.py
python benchmarks/references.py --companies 2 --codes 5
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from sandbox_driver import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, SOURCE, Sandbox, customer, running, small_world
from tables import goal, table, title
from warm_start import BIN

FIELDS = {
    "PaymentConditions": "PaymentConditionSales",
    "VATCodes": "SalesVATCode",
    "GLAccounts": "GLAccountSales",
    "AccountClassifications": "Classification1",
    "SalesPriceLists": "PriceList",
    "ShippingMethods": "ShippingMethod",
    "LeadSources": "LeadSource",
    "LeadPurposes": "LeadPurpose",
}
"""List → the field that refers to it. Currencies are in use by themselves."""
MOST_CALLS = 14
"""Of one company whose lists fit into a page of 60 each; of the nine lists one comes 1,000 a page."""


def lists(codes: int) -> dict[str, list[dict[str, Any]]]:
    """Lists of this many codes each."""
    rows = {name: [{"Code": f"{number:03}", "Description": "x"} for number in range(codes)] for name in FIELDS}
    rows["GLAccounts"] = [{**row, "Type": 110} for row in rows["GLAccounts"]]
    rows["AccountClassifications"] = [{**row, "AccountClassificationName": 1} for row in rows["AccountClassifications"]]
    return {"AccountClassificationNames": [{"SequenceNumber": 1, "Description": "x"}], **rows}


def look(sandbox: Sandbox, store: Path) -> tuple[float, int, int, int]:
    """Seconds, calls, the most calls of one company, and lines."""
    sandbox.forget_calls()
    settings = {"BASE_URL": sandbox.url, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET}
    settings |= {"REFRESH_TOKEN": REFRESH_TOKEN, "STORE_URL": f"sqlite:///{store}"}
    env = {**os.environ, **{f"EXACTONLINE_{name}": value for name, value in settings.items()}}
    command = [str(BIN / "exactonline"), "references", "--source", str(SOURCE), "--json"]
    started = time.monotonic()
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr)
    calls = [call for call in sandbox.journal() if call["endpoint"] != "oauth2/token"]
    by_company = [sum(call["division"] == code for call in calls) for code in {call["division"] for call in calls}]
    return seconds, len(calls), max(by_company, default=0), len(done.stdout.splitlines())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=50)
    parser.add_argument("--codes", type=int, default=100)
    given = parser.parse_args()
    targets = range(SOURCE + 1, SOURCE + 1 + given.companies)
    accounts = [customer(n + 1, **dict.fromkeys(FIELDS.values(), f"{n:03}")) for n in range(given.codes)]
    held = {code: lists(given.codes) for code in (SOURCE, *targets)}
    world = small_world(targets=tuple(targets), accounts={SOURCE: accounts}, lists=held)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "world.db") as sandbox:
        sandbox.reset(world)
        rows = [(when, *look(sandbox, Path(folder) / "store.db")) for when in ("at first", "again")]
    title(f"References of {given.companies} companies: {len(FIELDS) + 1} lists of {given.codes} codes")
    table(("", "seconds", "calls", "most of a company", "lines"), rows)
    print()
    more_pages = (len(FIELDS) - 1) * ((given.codes - 1) // 60)
    is_met = goal("calls of one company", rows[0][3], at_most=MOST_CALLS + more_pages)
    return 0 if goal("calls when fresh", rows[1][2], at_most=0) and is_met else 1


if __name__ == "__main__":
    raise SystemExit(main())

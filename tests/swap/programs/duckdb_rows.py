"""Prints the rows of a table, a JSON object each. Runs beside target-duckdb, where DuckDB is installed."""
# mypy: disable-error-code="import-not-found"

import json
import sys

import duckdb

path, table = sys.argv[1:]
rows = duckdb.connect(path, read_only=True).table(table)
names = [column[0] for column in rows.description]
for row in rows.fetchall():
    sys.stdout.write(json.dumps(dict(zip(names, row, strict=True)), default=str) + "\n")

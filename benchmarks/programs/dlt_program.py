"""The first load with dlt: its REST source reads sync/CRM/Accounts, a custom destination posts, eight jobs at a time.

Runs in an environment of its own. Reads from stdin: base_url, client_id, client_secret, refresh_token, folder, source,
targets, fields and jobs.
"""
# mypy: disable-error-code="import-not-found"
# dlt is installed only where this runs.

import json
import os
import sys
import threading
from typing import Any

import requests

CONNECTIONS = threading.local()


def access_token(asked: dict[str, Any]) -> str:
    form = {name: asked[name] for name in ("client_id", "client_secret", "refresh_token")}
    answer = requests.post(f"{asked['base_url']}/api/oauth2/token", {**form, "grant_type": "refresh_token"}, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def session(token: str) -> requests.Session:
    """One per thread, so that connections are kept."""
    if not hasattr(CONNECTIONS, "session"):
        CONNECTIONS.session = requests.Session()
        CONNECTIONS.session.headers.update({"Authorization": f"Bearer {token}", "Accept": "application/json"})
    kept: requests.Session = CONNECTIONS.session
    return kept


def main() -> None:
    asked = json.load(sys.stdin)
    os.environ |= {
        "DLT_DATA_DIR": asked["folder"],
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
        "SCHEMA__NAMING": "direct",
        "LOAD__WORKERS": str(asked["jobs"]),
        "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": str(asked["rows_per_job"]),
        "NORMALIZE__DATA_WRITER__BUFFER_MAX_ITEMS": str(asked["rows_per_job"]),
    }
    import dlt  # noqa: PLC0415 - it reads its settings when imported
    from dlt.sources.rest_api import rest_api_source  # noqa: PLC0415

    token = access_token(asked)
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{asked['base_url']}/api/v1/{asked['source']}/",
                "auth": {"type": "bearer", "token": token},
                "headers": {"Accept": "application/json"},
                "paginator": {"type": "json_link", "next_url_path": "d.__next"},
            },
            "resources": [
                {
                    "name": "accounts",
                    "endpoint": {
                        "path": "sync/CRM/Accounts",
                        "params": {"$select": ",".join(asked["fields"]), "$filter": "Timestamp gt 0"},
                        "data_selector": "d.results",
                    },
                }
            ],
        },
        max_table_nesting=0,
    )

    @dlt.destination(  # type: ignore[untyped-decorator]
        name="exact",
        batch_size=50,
        naming_convention="direct",
        loader_file_format="typed-jsonl",
        skip_dlt_columns_and_tables=True,
        loader_parallelism_strategy="parallel",
    )
    def exact(rows: list[dict[str, Any]], table: dict[str, Any]) -> None:
        for row in rows:
            values = {name: row[name] for name in asked["fields"] if row.get(name) not in (None, "")}
            for target in asked["targets"]:
                answer = session(token).post(
                    f"{asked['base_url']}/api/v1/{target}/crm/Accounts", json=values, timeout=60
                )
                answer.raise_for_status()

    pipeline = dlt.pipeline("accounts", destination=exact, pipelines_dir=asked["folder"])
    pipeline.run(source)


if __name__ == "__main__":
    main()

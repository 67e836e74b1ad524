"""Lets the installed programs copy one account of a new world, and prints its outcome. It imports nothing of ours."""

import json
import subprocess
import sys
from pathlib import Path

WORLD = {
    "apps": [{"client_id": "app", "client_secret": "secret", "redirect_uris": ["https://example.com/"]}],
    "users": [{"name": "Anna", "refresh_token": "first", "current_division": 100, "divisions": [100, 201]}],
    "divisions": [
        {"code": code, "description": f"Company {code}", "country": "NL", "currency": "EUR", "status": 1}
        for code in (100, 201)
    ],
    "accounts": {"100": [{"Code": "1", "Name": "Klant"}], "201": []},
    "limits": {"enabled": False},
}


def main(pipeline: str) -> None:
    here = Path.cwd()
    (here / "world.json").write_text(json.dumps(WORLD))
    subprocess.run(["exactonline-sandbox", "init", "--db", "world.db", "--world", "world.json"], check=True)
    common = {
        "base_url": f"sandbox://{here / 'world.db'}",
        "client_id": "app",
        "client_secret": "secret",
        "refresh_token": "first",
        "store_url": "sqlite:///store.db",
    }
    (here / "tap.json").write_text(json.dumps({**common, "divisions": [100]}))
    (here / "mapper.json").write_text("{}")
    (here / "target.json").write_text(json.dumps({**common, "report_path": "output"}))
    subprocess.run(["bash", "-o", "pipefail", "-c", pipeline], check=True)
    for line in (here / "output" / "outcomes.jsonl").read_text().splitlines():
        sys.stdout.write(json.loads(line)["outcome"] + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
